/** The last 60 minutes from raw power readings: steps per minute of each source, and the home's use. */
import type { SiteStatus } from '../api/types';
import type { Home } from './home';
import { addColumns, bucketMeans, type Samples } from './minutes';
import { MINUTE_US } from './time';

export const MINUTES = 60;

export interface LastHour {
  startUs: number;
  /** kW; null where a minute is not known. */
  solar: (number | null)[] | null;
  battery: (number | null)[] | null;
  grid: (number | null)[] | null;
  home: (number | null)[];
  missing: boolean[];
  /** Minutes at the beginning that lie before listening began. */
  before: number;
  /** What the end of the chart says: the power of this moment, kW. */
  now: { solar: number | null; home: number | null };
}

type Column = (number | null)[];

/** `untilUs`: what lies after it is not known (the clock, or the last reading when the connection is down). */
export function lastHour(home: Home, samples: ReadonlyMap<string, Samples>, nowUs: number, untilUs: number, { gaps, complete }: Pick<SiteStatus, 'gaps' | 'complete'>): Omit<LastHour, 'now'> {
  const startUs = (Math.floor(nowUs / MINUTE_US) - MINUTES + 1) * MINUTE_US;
  const column = (keys: readonly string[], project: (watts: number) => number): Column | null =>
    keys.length === 0 ? null : addColumns(keys.map((key) => means(samples.get(key), startUs, untilUs, project)));
  const from = (watts: number): number => Math.max(0, watts) / 1000;
  const signed = (watts: number): number => watts / 1000;
  const sources = [home.solar, home.battery, home.grid].filter((source) => source.present);
  const whole = home.homePowerKeys.length > 0 ? column(home.homePowerKeys, signed) : closing(sources.map((source) => column(source.powerKeys, signed)));
  const blank = gapMinutes(gaps, startUs);
  const clear = (values: Column | null): Column | null => values?.map((value, i) => (blank[i] ? null : value)) ?? null;
  const use = clear(whole) ?? Array.from({ length: MINUTES }, () => null);
  const drawn = {
    solar: clear(column(home.solar.powerKeys, from)),
    battery: clear(column(home.battery.powerKeys, from)),
    grid: clear(column(home.grid.powerKeys, from)),
    home: use.map((value) => (value === null ? null : Math.max(0, value))),
  };
  const columns = Object.values(drawn).filter((values) => values !== null);
  const unknown = use.map((_, i) => columns.every((values) => values[i] === null));
  const begun = Math.ceil(((complete.live_since_us ?? nowUs) - startUs) / MINUTE_US);
  const before = unknown.findIndex((missing, i) => !missing || i >= begun);
  return { startUs, ...drawn, missing: unknown.map((missing, i) => missing && i >= before), before: Math.max(0, before) };
}

function means(samples: Samples | undefined, startUs: number, untilUs: number, project: (watts: number) => number): Column {
  if (!samples) return Array.from({ length: MINUTES }, () => null);
  return bucketMeans(samples, startUs, MINUTE_US, MINUTES, untilUs, project);
}

function closing(columns: (Column | null)[]): Column | null {
  const known = columns.filter((column) => column !== null);
  return known.length === columns.length && known.length > 0 ? addColumns(known) : null;
}

function gapMinutes(gaps: SiteStatus['gaps'], startUs: number): boolean[] {
  return Array.from({ length: MINUTES }, (_, i) => {
    const from = startUs + i * MINUTE_US;
    return gaps.some((gap) => Math.min(gap.until_us, from + MINUTE_US) - Math.max(gap.since_us, from) > MINUTE_US / 2);
  });
}
