/** Gas or water of a period, in steps of an hour or longer, and how it is known. */
import type { Energy, Provenance } from '../api/types';
import { lengthOf, stepsOf, type StepLength } from './steps';

export interface Volume {
  unit: string;
  total: number | null;
  length: StepLength;
  edges_us: readonly number[];
  values: (number | null)[];
  /** That of its own meters. */
  provenance: Provenance[];
  /** Steps that have happened. */
  known: number;
  /** Steps at the left that lie before anything was recorded. */
  before: number;
  /** Missing in part: the meters knew some of the step. */
  partly: (step: number) => boolean;
}

export function volumeOf(energy: Energy, which: 'gas' | 'water', narrow: boolean, nowUs: number, sinceUs: number): Volume | null {
  const own = energy[which];
  if (!own) return null;
  const length = lengthOf(energy, narrow);
  const steps = stepsOf(energy, [], length === '5min' || length === '15min' ? 'hour' : length, nowUs, sinceUs);
  const { values, provenance } = steps[which] ?? { values: [], provenance: [] };
  const first = values.findIndex((value) => value !== null);
  return {
    unit: own.unit,
    total: own.total,
    length: steps.length,
    edges_us: steps.edges_us,
    values,
    provenance,
    known: steps.known,
    before: Math.min(steps.before, first < 0 ? steps.known : first),
    partly: (step) => provenance[step] === 'missing' && values[step] != null,
  };
}
