/** One step of a period, read: each series with what it was, printed so that the parts add up. */
import type { Provenance } from '../api/types';
import { t } from '../i18n';
import { stepsName } from './step-names';
import type { Column, Steps } from './steps';
import type { Formats } from './format';
import { roundParts, roundTo } from './rounding';
import { seriesName } from './series-names';

export interface ReadingRow {
  series: Column;
  name: string;
  /** kW, or kWh of a step. */
  value: number;
}

export interface StepReading {
  span: string;
  known: string;
  unit: 'kW' | 'kWh';
  /** What a kWh of the step counts in `unit`. */
  perKwh: number;
  from: ReadingRow[];
  to: ReadingRow[];
  totalFrom: number;
  totalTo: number;
}

const kindWords = (kind: Provenance, some: boolean): string => t(kind === 'missing' && some ? 'known.partly' : `known.${kind}`);

/** How a step is known, in words; `besides`: amounts with a name, of which it is said only where they are known otherwise. */
export function stepKnown(steps: Steps, index: number, besides: readonly (readonly [string, { values: readonly (number | null)[]; provenance: readonly Provenance[] }])[]): string {
  const kind = steps.provenance[index] ?? 'missing';
  const others = besides.flatMap(([name, { values, provenance }]) => {
    const own = provenance[index] ?? 'missing';
    return own === kind ? [] : [`${name}: ${kindWords(own, values[index] != null)}`];
  });
  return [kindWords(kind, steps.partly(index)), ...others].join('; ');
}

/** Null where nothing is known of the step. */
export function readStep(steps: Steps, index: number, formats: Formats): StepReading | null {
  const from = rowsOf(steps.from, index, steps.perKwh);
  const total = roundTo(from.reduce((sum, { value }) => sum + value, 0), 2);
  const alone = steps.to.filter(({ colour }) => colour.startsWith('use-')).length === 1;
  const to = rowsOf(steps.to, index, steps.perKwh, total, alone);
  if (from.length === 0 && to.length === 0) return null;
  return {
    span: stepsName(steps, index, index + 1, formats, true),
    known: stepKnown(steps, index, []),
    unit: steps.unit,
    perKwh: steps.perKwh,
    from,
    to,
    totalFrom: total,
    totalTo: roundTo(to.reduce((sum, { value }) => sum + value, 0), 2),
  };
}

function rowsOf(list: readonly Column[], index: number, perKwh: number, closeTo?: number, alone = false): ReadingRow[] {
  const known = list.filter(({ values }) => values[index] != null);
  const exact = known.map(({ values }) => Math.max(0, values[index] ?? 0) * perKwh);
  const sum = exact.reduce((a, b) => a + b, 0);
  const closes = closeTo !== undefined && Math.abs(closeTo - sum) < 0.01;
  const printed = roundParts(exact, 2, closes ? closeTo : sum);
  return known.map((series, i) => ({ series, name: seriesName(series, alone), value: printed[i] ?? 0 }));
}
