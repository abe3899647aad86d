/** Local days of a home's time zone. Instants are epoch microseconds, a day is its ISO date. */

export const SECOND_US = 1_000_000;
export const MINUTE_US = 60 * SECOND_US;
export const HOUR_US = 60 * MINUTE_US;
export const DAY_US = 24 * HOUR_US;

const formatters = new Map<string, Intl.DateTimeFormat>();

function wallClock(zone: string): Intl.DateTimeFormat {
  let formatter = formatters.get(zone);
  if (!formatter) {
    formatter = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    });
    formatters.set(zone, formatter);
  }
  return formatter;
}

interface Wall {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
}

/** The clock on the wall of `zone` at an instant. */
export function wallOf(us: number, zone: string): Wall {
  const local = new Date(Math.floor((us + offsetUs(us, zone)) / 1000));
  return {
    year: local.getUTCFullYear(),
    month: local.getUTCMonth() + 1,
    day: local.getUTCDate(),
    hour: local.getUTCHours(),
    minute: local.getUTCMinutes(),
    second: local.getUTCSeconds(),
  };
}

const pad = (n: number): string => String(n).padStart(2, '0');

/** The local date of an instant. */
export function dateOf(us: number, zone: string): string {
  const wall = wallOf(us, zone);
  return `${wall.year}-${pad(wall.month)}-${pad(wall.day)}`;
}

const QUARTER_US = 15 * MINUTE_US;
const offsets = new Map<string, Map<number, number>>();

/** The offset of `zone` from UTC at an instant, microseconds, positive east. Clocks change on quarters of an hour: one is asked for once. */
function offsetUs(us: number, zone: string): number {
  const known = offsets.get(zone) ?? new Map<number, number>();
  offsets.set(zone, known);
  const quarter = Math.floor(us / QUARTER_US);
  let offset = known.get(quarter);
  if (offset === undefined) known.set(quarter, (offset = askOffsetUs(us, zone)));
  return offset;
}

function askOffsetUs(us: number, zone: string): number {
  const wall: Wall = { year: 0, month: 0, day: 0, hour: 0, minute: 0, second: 0 };
  for (const part of wallClock(zone).formatToParts(us / 1000)) {
    if (part.type in wall) wall[part.type as keyof Wall] = Number(part.value);
  }
  const asUtcMs = Date.UTC(wall.year, wall.month - 1, wall.day, wall.hour, wall.minute, wall.second);
  return asUtcMs * 1000 - Math.floor(us / SECOND_US) * SECOND_US;
}

/** The first instant of a local day. Where midnight is skipped by a clock change, the first instant after it. */
export function startOfDay(date: string, zone: string): number {
  const utc = Date.parse(`${date}T00:00:00Z`) * 1000;
  const guess = utc - offsetUs(utc, zone);
  const start = utc - offsetUs(guess, zone);
  return dateOf(start, zone) === date ? start : start + HOUR_US;
}

/** The date some days later (or earlier). */
export function addDays(date: string, days: number): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10);
}

/** The date some months later (or earlier), on the first of the month. */
export function firstOfMonth(date: string, months: number): string {
  const [year = 0, month = 1] = date.split('-').map(Number);
  return new Date(Date.UTC(year, month - 1 + months, 1)).toISOString().slice(0, 10);
}

export const daysInMonth = (year: number, month: number): number => new Date(Date.UTC(year, month, 0)).getUTCDate();

/** True for a well-formed date that exists. */
export function isDate(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const ms = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(text);
}

export const isoOf = (us: number): string => new Date(us / 1000).toISOString();
