/** Periods in words. */
import { t } from '../i18n';
import type { Formats } from './format';
import { daysBetween, type Compare, type Period, type Span } from './periods';
import { dateOf } from './time';

const NEAR_DAYS = 27;

/** "Wednesday 15 April 2026", "16–22 November 2026", "April 2026", "2026". */
export function periodName({ kind, first, last }: Period, formats: Formats): string {
  if (kind === 'year') return first.slice(0, 4);
  if (kind === 'month') return formats.monthLong(first, true);
  if (first === last) return formats.dayLong(first);
  return formats.days(first, last, { year: true, short: false });
}

/** The same for a table's head, as short as is clear beside `near`: "Wed 15", "9–15 Nov", "April", "2026". */
export function periodShort(period: Period, near: Period, formats: Formats): string {
  const { kind, first, last } = period;
  const sameYear = first.slice(0, 4) === near.first.slice(0, 4) && last.slice(0, 4) === near.last.slice(0, 4);
  if (kind === 'year') return first.slice(0, 4);
  if (kind === 'month') return sameYear ? formats.monthLong(first, false) : formats.month(first, true);
  if (first !== last) return formats.days(first, last, { year: !sameYear, short: true });
  return Math.abs(daysBetween(first, near.first)) <= NEAR_DAYS ? formats.dayShort(first) : formats.dayBrief(first);
}

/** The same for the head of a narrow column. */
export function periodBrief(period: Period, near: Period, formats: Formats): string {
  const { kind, first } = period;
  return kind === 'month' ? formats.month(first, first.slice(0, 4) !== near.first.slice(0, 4)) : periodShort(period, near, formats);
}

/** "Tue 14", "Tue 14 until 13:20", "1–16 Mar": the part of a period that another is compared with. */
export function comparedName(was: Period, span: Span & { part: boolean }, period: Period, formats: Formats): string {
  const name = periodShort(was, period, formats);
  if (!span.part) return name;
  if (was.first === was.last) return t('period.until', { day: name, time: formats.time(span.endUs) });
  const last = dateOf(span.endUs - 1, formats.zone);
  return periodShort({ kind: 'range', first: was.first, last }, period, formats);
}

const PRESENT = { day: 'period.today', week: 'period.week', month: 'period.month', year: 'period.year', range: 'period.today' } as const;
const PREVIOUS = { day: 'period.previous', week: 'period.previous.week', month: 'period.previous.month', year: 'period.previous.year', range: 'period.previous.range' } as const;
const NEXT = { day: 'period.next', week: 'period.next.week', month: 'period.next.month', year: 'period.next.year', range: 'period.next.range' } as const;

export const presentName = ({ kind }: Period): string => t(PRESENT[kind]);
export const previousName = ({ kind }: Period): string => t(PREVIOUS[kind]);
export const nextName = ({ kind }: Period): string => t(NEXT[kind]);

const BEFORE = { day: 'compare.before.day', week: 'compare.before.week', month: 'compare.before.month', year: 'compare.year', range: 'compare.before.range' } as const;

/** What can be compared with, in words. */
export function compareName(compare: Compare, { kind }: Period): string {
  if (compare === 'none') return t('compare.none');
  return t(compare === 'year' ? 'compare.year' : BEFORE[kind]);
}
