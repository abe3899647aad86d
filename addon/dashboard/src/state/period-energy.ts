/** A period's energy and that of the one it is compared with, as the server knows them. */
import { fetchEnergy } from '../api/client';
import type { Energy } from '../api/types';
import { EARLIEST, comparedSpan, comparedWith, resolutionOf, spanOf, type Compare, type Period, type Span } from '../domain/periods';

export interface Asked {
  site: string;
  zone: string;
  period: Period;
  compare: Compare;
  /** A single day in steps of 5 minutes, else of hours. */
  fine: boolean;
}

export interface Compared {
  period: Period;
  span: Span & { part: boolean };
  energy: Energy;
}

export interface PeriodEnergy {
  asked: Asked;
  energy: Energy;
  was: Compared | null;
}

/** What the answer depends on, but for the time. */
export const nameOf = ({ site, zone, period, compare, fine }: Asked): string => [site, zone, period.kind, period.first, period.last, compare, fine].join(' ');

export async function fetchPeriod(asked: Asked, nowUs: number, signal: AbortSignal): Promise<PeriodEnergy> {
  const { site, zone, period, compare, fine } = asked;
  const before = comparedWith(period, compare);
  const span = before && before.first >= EARLIEST ? comparedSpan(period, before, zone, nowUs) : null;
  const total = async (own: Span): Promise<Energy> => fetchEnergy({ site, zone, ...own, resolution: 'total' }, signal);
  const [energy, was] = await Promise.all([
    fetchEnergy({ site, zone, ...spanOf(period, zone), resolution: resolutionOf(period, fine) }, signal),
    span && total({ startUs: span.startUs, endUs: span.endUs }),
  ]);
  return { asked, energy, was: before && span && was && { period: before, span, energy: was } };
}
