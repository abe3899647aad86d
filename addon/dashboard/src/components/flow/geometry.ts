/** Places of the live flow: solar top, grid left, battery below, home right, devices beyond. Pure; pixels. */
import type { LinkName } from '../../domain/balance';
import type { TileName } from '../../domain/power';

export interface Box {
  x: number;
  y: number;
  w: number;
  h: number;
}

export interface Arrow {
  x: number;
  y: number;
  /** Degrees, 0 points right. */
  turn: number;
}

export interface Layout {
  width: number;
  height: number;
  small: boolean;
  tiles: Record<TileName, Box>;
  paths: Record<LinkName, string>;
  arrows: Record<LinkName, Arrow>;
  /** Left edge of the device column, or null where devices are listed elsewhere. */
  deviceX: number | null;
  /** Pixels of width per kW, before the cap. */
  perKw: number;
}

export interface LayoutInput {
  width: number;
  solar: boolean;
  battery: boolean;
  devices: boolean;
}

interface Sizes {
  side: { w: number; h: number };
  middle: { w: number; h: number };
  home: { w: number; h: number };
  batteryH: number;
  /** Space between the rows. */
  row: number;
  /** Offset of the outer links from the middle, radius of their bends, distance of the three lanes. */
  offset: number;
  radius: number;
  lane: number;
  perKw: number;
}

const LARGE: Sizes = { side: { w: 150, h: 72 }, middle: { w: 172, h: 72 }, home: { w: 176, h: 88 }, batteryH: 72, row: 88, offset: 34, radius: 28, lane: 20, perKw: 7 };
const SMALL: Sizes = { side: { w: 116, h: 58 }, middle: { w: 136, h: 58 }, home: { w: 116, h: 74 }, batteryH: 74, row: 15, offset: 20, radius: 16, lane: 14, perKw: 5 };
const LARGE_FROM = 690;
const DEVICES_FROM = 540;
const DEVICE_COLUMN = 172;
const DEVICE_LINKS = 40;
const LEAST_BETWEEN = 80;
const FULL_HEIGHT = 408;
const WIDEST_WITHOUT_DEVICES = 640;
const MIDDLE_SHARE = 0.318;
const HOME_SHARE = 0.48;

function columns(input: LayoutInput, sizes: Sizes): { gridX: number; middleX: number; homeX: number; deviceX: number | null } {
  const { width, devices } = input;
  if (devices && width >= DEVICES_FROM) {
    const deviceX = width - DEVICE_COLUMN;
    return { gridX: 0, middleX: width * MIDDLE_SHARE, homeX: Math.min(width * HOME_SHARE, deviceX - DEVICE_LINKS - sizes.home.w), deviceX };
  }
  const used = Math.min(width, WIDEST_WITHOUT_DEVICES);
  const gridX = (width - used) / 2;
  return { gridX, middleX: width / 2, homeX: gridX + used - sizes.home.w, deviceX: null };
}

function rows(input: LayoutInput, sizes: Sizes, tall: boolean): { centre: number; height: number } {
  if (tall) return { centre: FULL_HEIGHT / 2, height: FULL_HEIGHT };
  const centre = (input.solar ? sizes.middle.h + sizes.row : 0) + sizes.home.h / 2;
  return { centre, height: centre + sizes.home.h / 2 + (input.battery ? sizes.row + sizes.batteryH : 0) };
}

/** Small tiles, narrower still where the links between them would have no room. */
function narrowed(width: number): Sizes {
  const w = Math.min(SMALL.side.w, (width - LEAST_BETWEEN) / 2);
  return { ...SMALL, side: { ...SMALL.side, w }, home: { ...SMALL.home, w } };
}

export function layoutOf(input: LayoutInput): Layout {
  const small = input.width < LARGE_FROM;
  const sizes = small ? narrowed(input.width) : LARGE;
  const { gridX, middleX, homeX, deviceX } = columns(input, sizes);
  const { centre, height } = rows(input, sizes, deviceX !== null);
  const tiles: Layout['tiles'] = {
    solar: { x: middleX - sizes.middle.w / 2, y: 0, ...sizes.middle },
    battery: { x: middleX - sizes.middle.w / 2, y: height - sizes.batteryH, w: sizes.middle.w, h: sizes.batteryH },
    grid: { x: gridX, y: centre - sizes.side.h / 2, ...sizes.side },
    home: { x: homeX, y: centre - sizes.home.h / 2, ...sizes.home },
  };
  return { width: input.width, height, small, tiles, deviceX, perKw: sizes.perKw, ...links(tiles, middleX, centre, sizes) };
}

function links(tiles: Layout['tiles'], middle: number, centre: number, sizes: Sizes): Pick<Layout, 'paths' | 'arrows'> {
  const { offset, radius, lane } = sizes;
  const top = tiles.solar.y + tiles.solar.h;
  const bottom = tiles.battery.y;
  const left = tiles.grid.x + tiles.grid.w;
  const right = tiles.home.x;
  const upper = centre - lane;
  const lower = centre + lane;
  const a = middle - offset;
  const b = middle + offset;
  return {
    paths: {
      solar_to_home: `M${b} ${top}V${upper - radius}Q${b} ${upper} ${b + radius} ${upper}H${right}`,
      solar_to_grid: `M${a} ${top}V${upper - radius}Q${a} ${upper} ${a - radius} ${upper}H${left}`,
      solar_to_battery: `M${middle} ${top}V${bottom}`,
      grid_to_home: `M${left} ${centre}H${right}`,
      battery_to_home: `M${b} ${bottom}V${lower + radius}Q${b} ${lower} ${b + radius} ${lower}H${right}`,
      grid_to_battery: `M${left} ${lower}H${a - radius}Q${a} ${lower} ${a} ${lower + radius}V${bottom}`,
      battery_to_grid: `M${a} ${bottom}V${lower + radius}Q${a} ${lower} ${a - radius} ${lower}H${left}`,
    },
    arrows: {
      solar_to_home: { x: right - 10, y: upper, turn: 0 },
      solar_to_grid: { x: left + 10, y: upper, turn: 180 },
      solar_to_battery: { x: middle, y: bottom - 9, turn: 90 },
      grid_to_home: { x: right - 10, y: centre, turn: 0 },
      battery_to_home: { x: right - 10, y: lower, turn: 0 },
      grid_to_battery: { x: a, y: bottom - 9, turn: 90 },
      battery_to_grid: { x: left + 10, y: lower, turn: 180 },
    },
  };
}

const THICKEST = 30;
const THINNEST = 3;

/** The width of a flowing link: in proportion to its power, as long as the thickest one has room. */
export function widthsOf(kw: readonly number[], perKw: number): number[] {
  const scale = Math.min(perKw, THICKEST / Math.max(...kw, 0.001));
  return kw.map((power) => Math.max(THINNEST, power * scale));
}
