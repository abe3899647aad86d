/**
 * The live flow: from the latest signed readings to tiles, links and devices, all in kW as printed.
 * A tile prints its own Entities, rounded; what is derived (home without a meter, Not tracked) closes the printed sums.
 */
import { divide, type LinkName, type Links } from './balance';
import type { Home } from './home';
import { roundTo } from './rounding';

export interface Latest {
  ts_us: number;
  value: number | null;
}

export type LatestValues = ReadonlyMap<string, Latest>;
export type SourceName = 'solar' | 'grid' | 'battery';
export type TileName = SourceName | 'home';

/** An amount as known now: kW (signed), or why there is none. */
export type Amount =
  | { state: 'known'; kw: number; keys: string[] }
  | { state: 'unavailable'; keys: string[]; sinceUs: number | null; key: string }
  | { state: 'unmeasured'; keys: string[] };

export interface DeviceRow {
  /** The Entity's key, or `others`, `untracked`. */
  id: string;
  name: string | null;
  kw: number | null;
}

export interface PowerNow {
  /** Null where the home has no such source. */
  solar: Amount | null;
  grid: Amount | null;
  battery: Amount | null;
  home: Amount;
  /** True where home use has a meter of its own. */
  homeMetered: boolean;
  links: Links;
  /** Links that cannot be known, since one of their ends has no value. */
  unknown: ReadonlySet<LinkName>;
  /** State of charge, %. */
  charge: number | null;
  newestUs: number | null;
}

const IDLE_KW = 0.005;
const LINK_ENDS: Record<LinkName, [SourceName, TileName]> = {
  solar_to_home: ['solar', 'home'],
  solar_to_battery: ['solar', 'battery'],
  solar_to_grid: ['solar', 'grid'],
  battery_to_home: ['battery', 'home'],
  battery_to_grid: ['battery', 'grid'],
  grid_to_home: ['grid', 'home'],
  grid_to_battery: ['grid', 'battery'],
};

/** A power as printed: 2 decimals, and nothing below what would print as zero. */
export function printedKw(kw: number): number {
  return Math.abs(kw) < IDLE_KW ? 0 : roundTo(kw, 2);
}

function sumOf(keys: readonly string[], latest: LatestValues): Amount {
  if (keys.length === 0) return { state: 'unmeasured', keys: [] };
  let watts = 0;
  for (const key of keys) {
    const reading = latest.get(key);
    if (reading?.value == null) return { state: 'unavailable', keys: [...keys], sinceUs: reading?.ts_us ?? null, key };
    watts += reading.value;
  }
  return { state: 'known', kw: printedKw(watts / 1000), keys: [...keys] };
}

const kwOf = (amount: Amount | null): number => (amount?.state === 'known' ? amount.kw : 0);
const unknown = (amount: Amount | null): boolean => amount !== null && amount.state !== 'known';

/** The flow of this moment. */
export function powerNow(home: Home, latest: LatestValues): PowerNow {
  const solar = home.solar.present ? production(sumOf(home.solar.powerKeys, latest)) : null;
  const grid = home.grid.present ? sumOf(home.grid.powerKeys, latest) : null;
  const battery = home.battery.present ? sumOf(home.battery.powerKeys, latest) : null;
  const metered = home.homePowerKeys.length > 0;
  const use = metered ? sumOf(home.homePowerKeys, latest) : closing(solar, grid, battery);
  const powers = { solar: kwOf(solar), grid: kwOf(grid), battery: kwOf(battery) };
  // Without the grid's value its power is what closes the balance, so that the other links keep their widths.
  if (unknown(grid) && use.state === 'known') powers.grid = use.kw - powers.solar - powers.battery;
  return {
    solar,
    grid,
    battery,
    home: use,
    homeMetered: metered,
    links: divide(powers),
    unknown: unknownLinks({ solar, grid, battery, home: use }),
    charge: chargeOf(home.chargeKeys, latest),
    newestUs: newestOf(home, latest),
  };
}

/** An inverter that draws a little at night produces nothing. */
function production(amount: Amount): Amount {
  return amount.state === 'known' ? { ...amount, kw: Math.max(0, amount.kw) } : amount;
}

function closing(...amounts: (Amount | null)[]): Amount {
  const keys = amounts.flatMap((amount) => amount?.keys ?? []);
  const lacking = amounts.find(unknown);
  if (lacking?.state === 'unavailable') return { ...lacking, keys };
  if (lacking || amounts.every((amount) => amount === null)) return { state: 'unmeasured', keys };
  return { state: 'known', kw: Math.max(0, roundTo(amounts.reduce((sum, amount) => sum + kwOf(amount), 0), 2)), keys };
}

function unknownLinks(tiles: Record<TileName, Amount | null>): Set<LinkName> {
  const names = new Set<LinkName>();
  for (const [name, ends] of Object.entries(LINK_ENDS) as [LinkName, [SourceName, TileName]][]) {
    if (ends.some((end) => end !== 'home' && unknown(tiles[end]))) names.add(name);
  }
  return names;
}

function chargeOf(keys: readonly string[], latest: LatestValues): number | null {
  const values = keys.map((key) => latest.get(key)?.value ?? null).filter((value) => value !== null);
  return values.length > 0 ? values.reduce((sum, value) => sum + value, 0) / values.length : null;
}

function newestOf(home: Home, latest: LatestValues): number | null {
  let newest: number | null = null;
  const keys = [home.solar, home.grid, home.battery].flatMap((source) => source.powerKeys);
  for (const key of [...keys, ...home.homePowerKeys, ...home.devices.map((device) => device.key)]) {
    const ts = latest.get(key)?.ts_us;
    if (ts !== undefined && (newest === null || ts > newest)) newest = ts;
  }
  return newest;
}

/** The links that exist in this home: both of their ends do. */
export function existingLinks(now: PowerNow): LinkName[] {
  return (Object.keys(LINK_ENDS) as LinkName[]).filter((name) => LINK_ENDS[name].every((end) => end === 'home' || now[end] !== null));
}

/** The order in which devices are shown: biggest first, ranked anew only when asked. */
export function rankDevices(home: Home, latest: LatestValues): string[] {
  const power = (key: string): number => latest.get(key)?.value ?? 0;
  return home.devices.map((device) => device.key).sort((a, b) => power(b) - power(a));
}

/** The biggest devices, then Others, then Not tracked, which closes the sum to the home's printed use. */
export function deviceRows(home: Home, latest: LatestValues, ranked: readonly string[], shown: number, use: Amount): DeviceRow[] {
  const devices = ranked.map((key) => home.devices.find((device) => device.key === key)).filter((device) => device !== undefined);
  const kwOfDevice = (key: string): number | null => {
    const watts = latest.get(key)?.value;
    return watts == null ? null : Math.max(0, printedKw(watts / 1000));
  };
  const head = devices.length > shown ? devices.slice(0, shown - 1) : devices;
  const tail = devices.slice(head.length);
  const rows: DeviceRow[] = head.map((device) => ({ id: device.key, name: device.name, kw: kwOfDevice(device.key) }));
  if (tail.length > 0) {
    rows.push({ id: 'others', name: null, kw: roundTo(tail.reduce((sum, device) => sum + (kwOfDevice(device.key) ?? 0), 0), 2) });
  }
  if (devices.length > 0 && use.state === 'known') {
    const tracked = rows.reduce((sum, row) => sum + (row.kw ?? 0), 0);
    rows.push({ id: 'untracked', name: null, kw: Math.max(0, roundTo(use.kw - tracked, 2)) });
  }
  return rows;
}
