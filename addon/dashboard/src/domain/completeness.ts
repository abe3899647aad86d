/** The calendar of the last twelve months: a row per month, a cell per day. */
import type { Completeness } from '../api/types';
import { daysInMonth, firstOfMonth } from './time';

export type DayKind = 'live' | 'statistics' | 'blank';

export interface DayCell {
  date: string;
  kind: DayKind;
  backfilled: boolean;
  missing_s: number;
}

export interface MonthRow {
  /** First of the month. */
  date: string;
  days: DayCell[];
  /** 0 to 1, or null where nothing was to be known. */
  share: number | null;
  missing_s: number;
}

const WORTH_A_MARK_S = 1;
/** The newest moments are not claimed yet: an idle home settles them every 30 s, the ledger is written every 10 s. */
const NOT_YET_CLAIMED_S = 120;

function cellOf(day: Completeness['days'][number], firstKnown: string, today: string): DayCell {
  const known = day.live_s + day.backfilled_s + day.statistics_s;
  const blank = day.date < firstKnown || (known === 0 && day.missing_s === 0);
  return {
    date: day.date,
    kind: blank ? 'blank' : day.statistics_s > day.live_s + day.backfilled_s ? 'statistics' : 'live',
    backfilled: !blank && day.backfilled_s >= WORTH_A_MARK_S,
    missing_s: blank || day.missing_s < (day.date === today ? NOT_YET_CLAIMED_S : WORTH_A_MARK_S) ? 0 : day.missing_s,
  };
}

/** Twelve rows, oldest first, the last one the month of `today`. Days before anything was known are blank, not missing. */
export function calendarOf(days: Completeness['days'], today: string): MonthRow[] {
  const byDate = new Map(days.map((day) => [day.date, day]));
  const firstKnown = days.find((day) => day.live_s + day.backfilled_s + day.statistics_s > 0)?.date ?? '9999';
  return Array.from({ length: 12 }, (_, index) => monthRow(firstOfMonth(today, index - 11), today, byDate, firstKnown));
}

function monthRow(first: string, today: string, byDate: Map<string, Completeness['days'][number]>, firstKnown: string): MonthRow {
  const [year = 0, month = 0] = first.split('-').map(Number);
  const cells: DayCell[] = [];
  let known = 0;
  let missing = 0;
  for (let day = 1; day <= daysInMonth(year, month); day++) {
    const date = `${first.slice(0, 8)}${String(day).padStart(2, '0')}`;
    if (date > today) break;
    const entry = byDate.get(date);
    const cell: DayCell = entry ? cellOf(entry, firstKnown, today) : { date, kind: 'blank', backfilled: false, missing_s: 0 };
    cells.push(cell);
    if (!entry || cell.kind === 'blank') continue;
    known += entry.live_s + entry.backfilled_s + entry.statistics_s;
    missing += cell.missing_s;
  }
  return { date: first, days: cells, share: known + missing > 0 ? known / (known + missing) : null, missing_s: missing };
}
