/** Periods of the home's calendar: a day, a week from Monday, a month, a year, or any range of days. Pure; dates are local. */
import type { Resolution } from '../api/types';
import { MINUTE_US, addDays, dateOf, daysInMonth, firstOfMonth, isDate, startOfDay } from './time';

export const KINDS = ['day', 'week', 'month', 'year', 'range'] as const;
export type Kind = (typeof KINDS)[number];

export interface Period {
  kind: Kind;
  /** First and last day. */
  first: string;
  last: string;
}

/** What a period is compared with: the one before, the same a year earlier, or nothing. */
export const COMPARES = ['before', 'year', 'none'] as const;
export type Compare = (typeof COMPARES)[number];

/** What the address holds of a period. Without a date it is the present one, so that such a link stays with the time. */
export interface Chosen {
  kind: Kind;
  /** A day of the period; of a range, the first. */
  date: string | null;
  /** The last day of a range. */
  last: string | null;
  compare: Compare;
}

export const PRESENT_DAY: Chosen = { kind: 'day', date: null, last: null, compare: 'before' };

const LONGEST_DAYS = 36_525;
const DEFAULT_RANGE_DAYS = 7;
const DAYS_IN_WEEK = 7;
const WEEKS_IN_YEAR = 52;
const MONTHS_IN_YEAR = 12;

/** The days from one date to another. */
export const daysBetween = (from: string, to: string): number => Math.round((Date.parse(to) - Date.parse(from)) / 86_400_000);
export const daysOf = ({ first, last }: Period): number => daysBetween(first, last) + 1;

const range = (first: string, last: string): Period => ({ kind: 'range', first, last });

/** The period of a kind that holds a date; as a range, the week that ends with it. */
export function periodAt(kind: Kind, date: string): Period {
  const [year = 0, month = 1] = date.split('-').map(Number);
  switch (kind) {
    case 'day':
      return { kind, first: date, last: date };
    case 'week': {
      const monday = addDays(date, -((new Date(`${date}T00:00:00Z`).getUTCDay() + 6) % DAYS_IN_WEEK));
      return { kind, first: monday, last: addDays(monday, DAYS_IN_WEEK - 1) };
    }
    case 'month':
      return { kind, first: firstOfMonth(date, 0), last: addDays(firstOfMonth(date, 0), daysInMonth(year, month) - 1) };
    case 'year':
      return { kind, first: `${date.slice(0, 4)}-01-01`, last: `${date.slice(0, 4)}-12-31` };
    case 'range':
      return range(addDays(date, 1 - DEFAULT_RANGE_DAYS), date);
  }
}

/** The period that is chosen; a range given backwards is turned round. */
export function periodOf({ kind, date, last }: Chosen, today: string): Period {
  if (kind !== 'range' || date === null || last === null) return periodAt(kind, date ?? today);
  return date <= last ? range(date, last) : range(last, date);
}

/** The next period, or the one before; a range steps by its own length. */
export function neighbour(period: Period, by: 1 | -1): Period {
  if (period.kind !== 'range') return periodAt(period.kind, addDays(by > 0 ? period.last : period.first, by));
  const days = daysOf(period) * by;
  return range(addDays(period.first, days), addDays(period.last, days));
}

/** The same date so many years later; 29 February is the 28th in other years. */
export function addYears(date: string, years: number): string {
  const first = firstOfMonth(date, years * MONTHS_IN_YEAR);
  const [year = 0, month = 1] = first.split('-').map(Number);
  return addDays(first, Math.min(Number(date.slice(8)), daysInMonth(year, month)) - 1);
}

/** The period that one is compared with. A week is compared with the one 52 weeks earlier, so that its weekdays are the same. */
export function comparedWith(period: Period, compare: Compare): Period | null {
  if (compare === 'none') return null;
  if (compare === 'before' && period.kind !== 'year') return neighbour(period, -1);
  if (period.kind === 'week') return periodAt('week', addDays(period.first, -DAYS_IN_WEEK * WEEKS_IN_YEAR));
  if (period.kind === 'range') {
    const first = addYears(period.first, -1);
    return range(first, addDays(first, daysOf(period) - 1));
  }
  return periodAt(period.kind, addYears(period.first, -1));
}

/** What can be chosen to compare with: of a year, the one before is the year before. */
export const comparesOf = (kind: Kind): Compare[] => COMPARES.filter((compare) => kind !== 'year' || compare !== 'before');

export const isPresent = ({ first, last }: Period, today: string): boolean => first <= today && today <= last;

/** The other kind of period at the same place: the present one if the former was, else where the former began. */
export function withKind(chosen: Chosen, kind: Kind, today: string): Chosen {
  const period = periodOf(chosen, today);
  if (kind === 'range') {
    const last = isPresent(period, today) ? today : period.last;
    return period.kind === 'day' ? { ...chosen, kind, date: addDays(last, 1 - DEFAULT_RANGE_DAYS), last } : { ...chosen, kind, date: period.first, last };
  }
  const date = isPresent(period, today) || isPresent(periodAt(kind, period.first), today) ? null : period.first;
  return { ...chosen, kind, date, last: null };
}

/** A period as it is kept in the address. */
export function choose(period: Period, compare: Compare, today: string): Chosen {
  if (period.kind === 'range') return { kind: 'range', date: period.first, last: period.last, compare };
  return { kind: period.kind, date: isPresent(period, today) ? null : period.first, last: null, compare };
}

export interface Span {
  startUs: number;
  endUs: number;
}

export const spanOf = ({ first, last }: Period, zone: string): Span => ({ startUs: startOfDay(first, zone), endUs: startOfDay(addDays(last, 1), zone) });

const COMPARE_TO_US = 5 * MINUTE_US;

/**
 * The span that a period is compared with. One that is not over is compared with the same part: as many days, and of the
 * last one as much of the clock. Null where that part is empty.
 */
export function comparedSpan(period: Period, was: Period, zone: string, nowUs: number): (Span & { part: boolean }) | null {
  const whole = spanOf(was, zone);
  const { startUs, endUs } = spanOf(period, zone);
  if (nowUs >= endUs) return { ...whole, part: false };
  if (nowUs <= startUs) return null;
  const today = dateOf(nowUs, zone);
  const day = startOfDay(addDays(was.first, daysBetween(period.first, today)), zone);
  const until = day + Math.floor((nowUs - startOfDay(today, zone)) / COMPARE_TO_US) * COMPARE_TO_US;
  const end = Math.min(until, whole.endUs);
  return end > whole.startUs ? { startUs: whole.startUs, endUs: end, part: end < whole.endUs } : null;
}

const LONGEST_IN_HOURS = 8;
const LONGEST_IN_DAYS = 62;
const LONGEST_IN_WEEKS = 366;
const LONGEST_IN_MONTHS = 8 * 366;

/** The steps of a period's chart. `fine`: those of a single day are 5 minutes, else hours. */
export function resolutionOf(period: Period, fine: boolean): Exclude<Resolution, 'total'> {
  const days = daysOf(period);
  if (days === 1) return fine ? '5min' : 'hour';
  if (period.kind === 'year') return 'month';
  if (days <= LONGEST_IN_HOURS) return 'hour';
  if (days <= LONGEST_IN_DAYS) return 'day';
  if (days <= LONGEST_IN_WEEKS) return 'week';
  return days <= LONGEST_IN_MONTHS ? 'month' : 'year';
}

/** Whether a range is short enough to be drawn: a century. */
export const isRange = (first: string, last: string): boolean => Math.abs(daysBetween(first, last)) < LONGEST_DAYS;

/** The server knows no time before. */
export const EARLIEST = '1970-01-02';

const YEAR = /^\d{4}$/;
const MONTH = /^\d{4}-\d{2}$/;
const NOW = 'now';

function dateIn(kind: Kind, text: string | null): string | null {
  if (text === null) return null;
  if (kind === 'year' && YEAR.test(text)) return dateIn('day', `${text}-01-01`);
  if (kind === 'month' && MONTH.test(text)) return dateIn('day', `${text}-01`);
  return isDate(text) && text >= EARLIEST ? text : null;
}

/** What an address's query chooses: `day=2026-11-20`, `month=2026-11`, `week=now`, `from=…&to=…`, `compare=year`. */
export function parseChosen(search: string): Chosen {
  const query = new URLSearchParams(search);
  const compare = COMPARES.find((known) => known === query.get('compare')) ?? 'before';
  const [first, last] = [dateIn('range', query.get('from')), dateIn('range', query.get('to'))];
  if (first !== null && last !== null && isRange(first, last)) {
    return { kind: 'range', date: first < last ? first : last, last: first < last ? last : first, compare };
  }
  const kind = KINDS.find((known) => known !== 'range' && query.has(known)) ?? 'day';
  return { kind, date: dateIn(kind, query.get(kind)), last: null, compare };
}

const PRINTED: Record<Exclude<Kind, 'range'>, number> = { day: 10, week: 10, month: 7, year: 4 };

/** The query of what is chosen; empty for today. */
export function queryOf({ kind, date, last, compare }: Chosen): string {
  const query = new URLSearchParams();
  if (kind === 'range' && date !== null && last !== null) {
    query.set('from', date);
    query.set('to', last);
  } else if (kind !== 'range' && (kind !== 'day' || date !== null)) query.set(kind, date?.slice(0, PRINTED[kind]) ?? NOW);
  if (compare !== 'before') query.set('compare', compare);
  return query.toString();
}

