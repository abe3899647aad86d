/** A chart's steps in words: labels of its axis, and the span of any run of steps. */
import { t } from '../i18n';
import type { Formats } from './format';
import type { StepLength, Steps } from './steps';
import { DAY_US, dateOf, wallOf } from './time';

export interface Tick {
  /** In steps; a half is the middle of one. */
  at: number;
  label: string;
}

/** How long a step is, in words. */
export const STEP_NAMES = {
  '5min': 'step.hour',
  '15min': 'step.hour',
  hour: 'step.hour',
  '3hours': 'step.3hours',
  day: 'step.day',
  week: 'step.week',
  month: 'step.month',
  year: 'step.year',
} as const;

type Lengths = Pick<Steps, 'edges_us' | 'length'>;

const CLOCK: readonly StepLength[] = ['5min', '15min', 'hour', '3hours'];
/** A day of 25 hours is one day. */
const ONE_DAY_US = 1.1 * DAY_US;

const isOneDay = (edges_us: readonly number[]): boolean => (edges_us.at(-1) ?? 0) - (edges_us[0] ?? 0) <= ONE_DAY_US;

/** The first and last date of a run of steps. */
function datesOf(edges_us: readonly number[], from: number, until: number, formats: Formats): [string, string] {
  return [dateOf(edges_us[from] ?? 0, formats.zone), dateOf((edges_us[until] ?? 1) - 1, formats.zone)];
}

function isOneYear(edges_us: readonly number[], formats: Formats): boolean {
  const [first, last] = datesOf(edges_us, 0, edges_us.length - 1, formats);
  return first.slice(0, 4) === last.slice(0, 4);
}

/** Labels of a day's axis: every so many full hours of the local clock, and the end. */
export function hourTicks(edges_us: readonly number[], everyHours: number, formats: Formats): Tick[] {
  const ticks: Tick[] = [];
  const last = edges_us.length - 1;
  for (let i = 0; i < last; i++) {
    const us = edges_us[i] ?? 0;
    const wall = wallOf(us, formats.zone);
    if (wall.minute === 0 && wall.hour % everyHours === 0 && ticks.at(-1)?.label !== formats.tick(us)) ticks.push({ at: i, label: formats.tick(us) });
  }
  return [...ticks, { at: last, label: formats.endOfDay }];
}

/** One label for each day of hours, in its middle. */
function dayTicks(edges_us: readonly number[], narrow: boolean, formats: Formats): Tick[] {
  const ticks: Tick[] = [];
  let from = 0;
  for (let i = 1; i < edges_us.length; i++) {
    const date = dateOf(edges_us[from] ?? 0, formats.zone);
    if (i < edges_us.length - 1 && dateOf(edges_us[i] ?? 0, formats.zone) === date) continue;
    ticks.push({ at: (from + i) / 2, label: narrow ? formats.weekday(date) : formats.dayShort(date) });
    from = i;
  }
  return ticks;
}

const EVERY_DAYS = 5;

/** The days of one month by their number. */
const monthTicks = (dates: readonly string[]): Tick[] =>
  dates.flatMap((date, i) => {
    const day = Number(date.slice(8));
    return i === 0 || day % EVERY_DAYS === 0 ? [{ at: i + 0.5, label: String(day) }] : [];
  });

const MOST_LABELS = { wide: 12, narrow: 5 } as const;

function labelOf(date: string, length: StepLength, formats: Formats): string {
  if (length === 'year') return date.slice(0, 4);
  return length === 'month' ? formats.month(date, true) : formats.dayMonth(date);
}

/** Labels in the middle of days, weeks, months or years, as many as there is room for. */
function middleTicks({ edges_us, length }: Lengths, narrow: boolean, formats: Formats): Tick[] {
  const dates = edges_us.slice(0, -1).map((us) => dateOf(us, formats.zone));
  if (length === 'day' && new Set(dates.map((date) => date.slice(0, 7))).size === 1) return monthTicks(dates);
  if (length === 'month' && isOneYear(edges_us, formats)) {
    return dates.map((date, i) => ({ at: i + 0.5, label: formats.month(date, false).slice(0, narrow ? 1 : 3) }));
  }
  const every = Math.ceil(dates.length / MOST_LABELS[narrow ? 'narrow' : 'wide']);
  return dates.flatMap((date, i) => (i % every === 0 ? [{ at: i + 0.5, label: labelOf(date, length, formats) }] : []));
}

/** The labels of a chart's time axis. */
export function ticksOf(steps: Lengths, narrow: boolean, formats: Formats): Tick[] {
  if (!CLOCK.includes(steps.length)) return middleTicks(steps, narrow, formats);
  return isOneDay(steps.edges_us) ? hourTicks(steps.edges_us, narrow ? 6 : 3, formats) : dayTicks(steps.edges_us, narrow, formats);
}

function clockName(edges_us: readonly number[], from: number, until: number, formats: Formats, words: boolean): string {
  const end = until === edges_us.length - 1 ? formats.endOfDay : formats.time(edges_us[until] ?? 0);
  const times = { from: formats.time(edges_us[from] ?? 0), to: end };
  const span = words ? t('energy.read', times) : t('known.span', times);
  if (isOneDay(edges_us)) return span;
  const [first, last] = datesOf(edges_us, from, until, formats);
  if (first === last) return `${formats.dayShort(first)} ${span}`;
  return t('known.span', { from: `${formats.dayShort(first)} ${times.from}`, to: `${formats.dayShort(last)} ${times.to}` });
}

/** The name of a run from its first to its last part: one name where both are the same. */
const fromTo = (from: string, to: string): string => (from === to ? from : t('known.span', { from, to }));

/** A run of steps: "09:00–10:30", "Mon 16 09:00–12:00", "2 Apr", "2–8 Apr", "April 2026", "2026". `until` is the place after the last. */
export function stepsName({ edges_us, length }: Lengths, from: number, until: number, formats: Formats, words = false): string {
  if (CLOCK.includes(length)) return clockName(edges_us, from, until, formats, words);
  const [first, last] = datesOf(edges_us, from, until, formats);
  if (length === 'year') return fromTo(first.slice(0, 4), last.slice(0, 4));
  const year = !isOneYear(edges_us, formats);
  if (length === 'month') return fromTo(formats.monthLong(first, year), formats.monthLong(last, year));
  if (first === last) return year ? formats.dayBrief(first) : formats.dayMonth(first);
  return formats.days(first, last, { year, short: true });
}
