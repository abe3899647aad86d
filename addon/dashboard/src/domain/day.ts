/** A day's energy as a chart: columns above and below zero, in kWh per hour or in kW per few minutes. */
import type { Energy, Provenance } from '../api/types';
import { useColumns } from './figures';
import type { Formats } from './format';
import { HOUR_US, wallOf } from './time';

export type Steps = 'hour' | '5min' | '15min';

export const USE_COLOURS = ['use-1', 'use-2', 'use-3'] as const;
export type UseColour = (typeof USE_COLOURS)[number];
export type SourceColour = 'solar' | 'battery_discharge' | 'grid_import' | 'battery_charge' | 'grid_export';

export interface DaySeries {
  id: string;
  /** Null for all other use. */
  name: string | null;
  colour: SourceColour | UseColour;
  /** kWh. */
  values: (number | null)[];
}

export interface Day {
  steps: Steps;
  edges_us: readonly number[];
  from: DaySeries[];
  to: DaySeries[];
  provenance: Provenance[];
  /** Steps that have happened. */
  known: number;
  /** Missing in part: the meters knew some of the step. */
  partly: (step: number) => boolean;
  /** What a kWh of a step counts on the axis: 1 for kWh, steps per hour for mean kW. */
  perKwh: number;
}

const WORST: readonly Provenance[] = ['measured', 'backfilled', 'interpolated', 'statistics', 'missing'];

/** Joins every `size` steps; a sum is as good as its worst part, and unknown only where all of its parts are. */
export function joinSteps(energy: Energy, size: number): Energy {
  if (size === 1) return energy;
  const join = (values: (number | null)[]): (number | null)[] =>
    groups(values, size).map((group) => (group.every((value) => value === null) ? null : group.reduce<number>((sum, value) => sum + (value ?? 0), 0)));
  const names = Object.keys(energy.flows) as (keyof Energy['flows'])[];
  const flows = Object.fromEntries(names.map((name) => [name, join(energy.flows[name])])) as unknown as Energy['flows'];
  return {
    ...energy,
    edges_us: energy.edges_us.filter((_, i) => i % size === 0 || i === energy.edges_us.length - 1),
    flows,
    devices: energy.devices.map((device) => ({ ...device, values: join(device.values) })),
    untracked: join(energy.untracked),
    provenance: groups(energy.provenance, size).map((group) => group.reduce((worst, kind) => (WORST.indexOf(kind) > WORST.indexOf(worst) ? kind : worst))),
  };
}

function groups<T>(values: readonly T[], size: number): T[][] {
  const grouped: T[][] = [];
  for (let i = 0; i < values.length; i += size) grouped.push(values.slice(i, i + size));
  return grouped;
}

/** The chart of a day. `uses`: the devices that are drawn by name. */
export function dayOf(energy: Energy, uses: readonly string[], steps: Steps, nowUs: number): Day {
  const joined = joinSteps(energy, steps === '15min' ? 3 : 1);
  const { flows, has, edges_us } = joined;
  const series = (id: SourceColour, present: boolean): DaySeries[] => (present ? [{ id, name: null, colour: id, values: flows[id] }] : []);
  const columns = useColumns(joined, uses);
  return {
    steps,
    edges_us,
    from: [...series('solar', has.solar), ...series('battery_discharge', has.battery), ...series('grid_import', has.grid)],
    to: [
      ...columns.map(({ id, name, values }, i) => ({ id, name, values, colour: i === columns.length - 1 ? 'use-3' : (USE_COLOURS[i] ?? 'use-2') })),
      ...series('battery_charge', has.battery),
      ...series('grid_export', has.export),
    ],
    provenance: joined.provenance,
    known: knownSteps(joined, nowUs),
    partly: (step) => joined.provenance[step] === 'missing' && flows.home[step] != null,
    perKwh: steps === 'hour' ? 1 : HOUR_US / (((edges_us[1] ?? 0) - (edges_us[0] ?? 0)) || HOUR_US),
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
export function highestOf(day: Day): number {
  const stack = (series: DaySeries[], i: number): number => series.reduce((sum, { values }) => sum + Math.max(0, values[i] ?? 0), 0);
  let highest = 0;
  for (let i = 0; i + 1 < day.edges_us.length; i++) highest = Math.max(highest, stack(day.from, i), stack(day.to, i));
  return highest * day.perKwh;
}

/** Labels of the time axis: every so many full hours of the local clock, and the end. */
export function hourTicks(edges_us: readonly number[], everyHours: number, formats: Formats): { at: number; label: string }[] {
  const ticks: { at: number; label: string }[] = [];
  const last = edges_us.length - 1;
  for (let i = 0; i < last; i++) {
    const us = edges_us[i] ?? 0;
    const wall = wallOf(us, formats.zone);
    if (wall.minute === 0 && wall.hour % everyHours === 0 && ticks.at(-1)?.label !== formats.tick(us)) ticks.push({ at: i, label: formats.tick(us) });
  }
  return [...ticks, { at: last, label: formats.endOfDay }];
}
