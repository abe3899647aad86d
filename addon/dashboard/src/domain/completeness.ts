/** The calendar of the last twelve months: a row per month, a cell per day. */
import type { Completeness } from '../api/types';
import { t, tn } from '../i18n';
import type { Formats } from './format';
import { SECOND_US, daysInMonth, firstOfMonth } from './time';

export type DayKind = 'live' | 'statistics' | 'blank';

export interface DayCell {
  date: string;
  kind: DayKind;
  backfilled: boolean;
  missing_s: number;
  /** Of what is missing: Home Assistant was off, so no reading exists. */
  ha_off_s: number;
}

export interface MonthRow {
  /** First of the month. */
  date: string;
  days: DayCell[];
  /** 0 to 1, or null where nothing was to be known. */
  share: number | null;
  missing_s: number;
  ha_off_s: number;
}

/** Where a day lies in the rows. */
export interface Place {
  month: number;
  day: number;
}

const WORTH_A_MARK_S = 1;
/** The newest moments are not claimed yet: an idle home settles them every 30 s, the ledger is written every 10 s. */
const NOT_YET_CLAIMED_S = 120;
/** Hourly statistics end at the last full hour before listening began. */
const BEFORE_LISTENING_S = 3600;

function cellOf(day: Completeness['days'][number], { firstKnown, today, liveDay }: Landmarks): DayCell {
  const known = day.live_s + day.backfilled_s + day.statistics_s;
  if (day.date < firstKnown || (known === 0 && day.missing_s === 0)) return blankCell(day.date);
  const open = (day.date === today ? NOT_YET_CLAIMED_S : WORTH_A_MARK_S) + (day.date === liveDay ? BEFORE_LISTENING_S : 0);
  return {
    date: day.date,
    kind: day.statistics_s > day.live_s + day.backfilled_s ? 'statistics' : 'live',
    backfilled: day.backfilled_s >= WORTH_A_MARK_S,
    ...lackingOf(day, open),
  };
}

const blankCell = (date: string): DayCell => ({ date, kind: 'blank', backfilled: false, missing_s: 0, ha_off_s: 0 });

/** What a day lacks: less than `open` may still come, but not of a time in which Home Assistant was off. */
function lackingOf({ missing_s, ha_off_s }: Pick<DayCell, 'missing_s' | 'ha_off_s'>, open: number): Pick<DayCell, 'missing_s' | 'ha_off_s'> {
  const off = ha_off_s < WORTH_A_MARK_S ? 0 : ha_off_s;
  const lacking = missing_s - ha_off_s;
  return { missing_s: off + (lacking < open ? 0 : lacking), ha_off_s: off };
}

interface Landmarks {
  today: string;
  /** The first day of which anything is known. */
  firstKnown: string;
  /** The day on which listening began, or null. */
  liveDay: string | null;
}

/** Twelve rows, oldest first, the last one the month of `today`. Days before anything was known are blank, not missing. */
export function calendarOf(days: Completeness['days'], today: string, liveDay: string | null = null): MonthRow[] {
  const byDate = new Map(days.map((day) => [day.date, day]));
  const firstKnown = days.find((day) => day.live_s + day.backfilled_s + day.statistics_s > 0)?.date ?? '9999';
  return Array.from({ length: 12 }, (_, index) => monthRow(firstOfMonth(today, index - 11), byDate, { today, firstKnown, liveDay }));
}

function monthRow(first: string, byDate: Map<string, Completeness['days'][number]>, landmarks: Landmarks): MonthRow {
  const [year = 0, month = 0] = first.split('-').map(Number);
  const cells: DayCell[] = [];
  let known = 0;
  let missing = 0;
  let off = 0;
  for (let day = 1; day <= daysInMonth(year, month); day++) {
    const date = `${first.slice(0, 8)}${String(day).padStart(2, '0')}`;
    if (date > landmarks.today) break;
    const entry = byDate.get(date);
    const cell: DayCell = entry ? cellOf(entry, landmarks) : blankCell(date);
    cells.push(cell);
    if (!entry || cell.kind === 'blank') continue;
    known += entry.live_s + entry.backfilled_s + entry.statistics_s;
    missing += cell.missing_s;
    off += cell.ha_off_s;
  }
  return { date: first, days: cells, share: known + missing > 0 ? known / (known + missing) : null, missing_s: missing, ha_off_s: off };
}

/** The place beside one: days follow each other from month to month, and lie below the same day of the month before. Null where there is none. */
export function besideDay(months: readonly MonthRow[], { month, day }: Place, [byMonths, byDays]: readonly [number, number]): Place | null {
  const daysOf = (at: number): number => months[at]?.days.length ?? 0;
  let next = { month: month + byMonths, day: day + byDays };
  if (byDays < 0 && next.day < 0) next = { month: month - 1, day: daysOf(month - 1) - 1 };
  if (byDays > 0 && next.day >= daysOf(month)) next = { month: month + 1, day: 0 };
  return next.day >= 0 && next.day < daysOf(next.month) ? next : null;
}

export type Lack = 'missing' | 'off';

/** What marks a span: `off` where all that it lacks is a time in which Home Assistant was off, null where it lacks nothing. */
export function lackOf({ missing_s, ha_off_s }: Pick<DayCell, 'missing_s' | 'ha_off_s'>): Lack | null {
  if (missing_s < WORTH_A_MARK_S) return null;
  return missing_s - ha_off_s < WORTH_A_MARK_S ? 'off' : 'missing';
}

/** How many days lack readings, and how many only since Home Assistant was off. */
export function daysLacking(months: readonly MonthRow[]): string {
  const lacks = months.flatMap(({ days }) => days.map(lackOf));
  const [missing, off] = (['missing', 'off'] as const).map((lack) => lacks.filter((own) => own === lack).length);
  const words = [missing ? tn('calendar.someMissing', missing) : null, off ? tn('calendar.someOff', off) : null, missing ? null : t(off ? 'calendar.noneElseMissing' : 'calendar.noneMissing')];
  return words.filter((own) => own !== null).join(' ');
}

/** What a day or an hour lacks, in words: "1 min missing: Home Assistant was off". */
export function lackingWords({ missing_s, ha_off_s }: Pick<DayCell, 'missing_s' | 'ha_off_s'>, formats: Formats): string {
  const length = formats.duration(missing_s * SECOND_US);
  if (lackOf({ missing_s, ha_off_s }) === 'off') return t('calendar.dayOff', { length });
  if (ha_off_s < WORTH_A_MARK_S) return t('calendar.dayMissing', { length });
  return t('calendar.dayPartlyOff', { length, off: formats.duration(ha_off_s * SECOND_US) });
}
