/** A period's energy as a chart: columns above and below zero, in kWh per step, or in kW where steps are a few minutes. */
import type { Energy, Provenance } from '../api/types';
import { useColumns } from './figures';
import { HOUR_US, wallOf } from './time';

export type StepLength = '5min' | '15min' | 'hour' | '3hours' | 'day' | 'week' | 'month' | 'year';

export const USE_COLOURS = ['use-1', 'use-2', 'use-3'] as const;
export type UseColour = (typeof USE_COLOURS)[number];
export type SourceColour = 'solar' | 'battery_discharge' | 'grid_import' | 'battery_charge' | 'grid_export';

export interface Column {
  id: string;
  /** Null for all other use. */
  name: string | null;
  colour: SourceColour | UseColour;
  /** kWh. */
  values: (number | null)[];
}

export interface Steps {
  length: StepLength;
  edges_us: readonly number[];
  from: Column[];
  to: Column[];
  provenance: Provenance[];
  gas: Energy['gas'];
  water: Energy['water'];
  /** Steps that have happened. */
  known: number;
  /** Steps at the left that lie before anything was recorded. */
  before: number;
  /** Missing in part: the meters knew some of the step. */
  partly: (step: number) => boolean;
  /** What a kWh of a step counts on the axis: 1 for kWh, steps per hour for mean kW. */
  perKwh: number;
  unit: 'kW' | 'kWh';
}

const WORST: readonly Provenance[] = ['measured', 'backfilled', 'interpolated', 'statistics', 'missing'];

/** So long after a step nothing more of it is to come: what the server does not know by then, it calls missing. */
const TO_COME_US = 600_000_000;

/** The first of the steps at the right of which nothing is known yet, and of which nothing is missing either. */
function firstToCome({ edges_us, flows }: Energy, nowUs: number): number {
  const known = flows.home.findLastIndex((value) => value !== null) + 1;
  const coming = edges_us.findIndex((_, i) => (edges_us[i + 1] ?? Infinity) > nowUs - TO_COME_US);
  return coming < 0 ? edges_us.length : Math.max(known, coming);
}

/** Joins the steps from each of `starts` to the next; a sum is as good as its worst part that is not to come yet, and unknown only where all of its parts are. */
export function joinAt(energy: Energy, starts: readonly number[], nowUs = Infinity): Energy {
  const groups = <T>(values: readonly T[]): T[][] => starts.map((start, i) => values.slice(start, starts[i + 1] ?? values.length));
  const toCome = firstToCome(energy, nowUs);
  const worst = (kinds: readonly Provenance[]): Provenance[] =>
    groups(kinds).map((group, i) => group.slice(0, Math.max(1, toCome - (starts[i] ?? 0))).reduce((bad, kind) => (WORST.indexOf(kind) > WORST.indexOf(bad) ? kind : bad)));
  const join = (values: (number | null)[]): (number | null)[] =>
    groups(values).map((group) => (group.every((value) => value === null) ? null : group.reduce<number>((sum, value) => sum + (value ?? 0), 0)));
  const names = Object.keys(energy.flows) as (keyof Energy['flows'])[];
  const flows = Object.fromEntries(names.map((name) => [name, join(energy.flows[name])])) as unknown as Energy['flows'];
  const joined = <T extends { values: (number | null)[]; provenance: Provenance[] }>(of: T): T => ({ ...of, values: join(of.values), provenance: worst(of.provenance) });
  return {
    ...energy,
    edges_us: [...starts.map((start) => energy.edges_us[start] ?? 0), energy.edges_us.at(-1) ?? 0],
    flows,
    devices: energy.devices.map(joined),
    untracked: join(energy.untracked),
    untracked_provenance: worst(energy.untracked_provenance),
    gas: energy.gas && joined(energy.gas),
    water: energy.water && joined(energy.water),
    provenance: worst(energy.provenance),
  };
}

const places = (energy: Energy): number[] => energy.provenance.map((_, i) => i);

/** Joins every `size` steps. */
export const joinSteps = (energy: Energy, size: number, nowUs?: number): Energy => joinAt(energy, places(energy).filter((i) => i % size === 0), nowUs);

/** Joins hours to threes of the local clock, also on days when that changes. */
function joinHours(energy: Energy, nowUs: number): Energy {
  const third = (i: number): string => {
    const { day, hour } = wallOf(energy.edges_us[i] ?? 0, energy.zone);
    return `${day} ${Math.floor(hour / 3)}`;
  };
  return joinAt(energy, places(energy).filter((i) => i === 0 || third(i) !== third(i - 1)), nowUs);
}

const FIVES_IN: Partial<Record<StepLength, number>> = { '15min': 3, hour: 12 };

/** The energy in steps of that length. */
function inSteps(energy: Energy, length: StepLength, nowUs: number): Energy {
  if (length === '3hours') return joinHours(energy, nowUs);
  return energy.resolution === '5min' && FIVES_IN[length] ? joinSteps(energy, FIVES_IN[length], nowUs) : energy;
}

/** True where only hours are known, so that finer steps would show nothing more. */
export function onlyHours({ provenance, flows }: Energy): boolean {
  const known = provenance.filter((_, i) => flows.home[i] != null);
  return known.length > 0 && known.every((kind) => kind === 'statistics' || kind === 'missing');
}

/** Hours that fit a narrow page: more are joined to threes. */
const NARROW_HOURS = 48;

/** The length of the steps to draw: never too narrow to be seen, and never finer than what is known. */
export function lengthOf(energy: Energy, narrow: boolean): StepLength {
  const { resolution } = energy;
  if (resolution === '5min') return onlyHours(energy) ? 'hour' : narrow ? '15min' : '5min';
  if (resolution === 'hour' && narrow && energy.provenance.length > NARROW_HOURS) return '3hours';
  return resolution === 'total' ? 'year' : resolution;
}

/** The chart of a period. `uses`: the devices that are drawn by name; `sinceUs`: when anything was recorded first. */
export function stepsOf(energy: Energy, uses: readonly string[], length: StepLength, nowUs: number, sinceUs = 0): Steps {
  const joined = inSteps(energy, length, nowUs);
  const { flows, has, edges_us } = joined;
  const series = (id: SourceColour, present: boolean): Column[] => (present ? [{ id, name: null, colour: id, values: flows[id] }] : []);
  const columns = useColumns(joined, uses);
  const power = length === '5min' || length === '15min';
  const first = flows.home.findIndex((value, i) => value !== null || (edges_us[i + 1] ?? 0) > sinceUs);
  return {
    length,
    edges_us,
    from: [...series('solar', has.solar), ...series('battery_discharge', has.battery), ...series('grid_import', has.grid)],
    to: [
      ...columns.map(({ id, name, values }, i) => ({ id, name, values, colour: i === columns.length - 1 ? 'use-3' : (USE_COLOURS[i] ?? 'use-2') })),
      ...series('battery_charge', has.battery),
      ...series('grid_export', has.export),
    ],
    provenance: joined.provenance,
    gas: joined.gas,
    water: joined.water,
    known: knownSteps(joined, nowUs),
    before: Math.max(0, first),
    partly: (step) => joined.provenance[step] === 'missing' && flows.home[step] != null,
    perKwh: power ? HOUR_US / ((edges_us[1] ?? 0) - (edges_us[0] ?? 0) || HOUR_US) : 1,
    unit: power ? 'kW' : 'kWh',
  };
}

/** Steps that are over, and the present one as soon as something is known of it. */
function knownSteps({ edges_us, flows }: Energy, nowUs: number): number {
  let known = 0;
  for (let i = 0; i + 1 < edges_us.length; i++) {
    const over = (edges_us[i + 1] ?? 0) <= nowUs;
    if (over || ((edges_us[i] ?? 0) < nowUs && flows.home[i] != null)) known = i + 1;
  }
  return known;
}

/** The highest stack on either side, on the axis' scale. */
export function highestOf(steps: Steps): number {
  const stack = (series: Column[], i: number): number => series.reduce((sum, { values }) => sum + Math.max(0, values[i] ?? 0), 0);
  let highest = 0;
  for (let i = 0; i + 1 < steps.edges_us.length; i++) highest = Math.max(highest, stack(steps.from, i), stack(steps.to, i));
  return highest * steps.perKwh;
}
