import { t } from '../i18n';
import { floorTo, roundTo } from './rounding';
import { DAY_US, MINUTE_US, SECOND_US, dateOf, startOfDay } from './time';

const NBSP = '\u00a0';
const MINUS = '\u2212';

/** The locale of numbers and times: the first English one the user has, since the strings are English. */
export function localeOf(languages: readonly string[]): string {
  return languages.find((language) => language.toLowerCase().startsWith('en')) ?? 'en-GB';
}

/** How numbers and times are printed, in one place. Times are those of the home's zone. */
export class Formats {
  private readonly numbers = new Map<number, Intl.NumberFormat>();
  private readonly dateFormats = new Map<string, Intl.DateTimeFormat>();
  private readonly clock: Intl.DateTimeFormat;
  private readonly clockSeconds: Intl.DateTimeFormat;
  private readonly twelve: boolean;
  private readonly axisNumbers: Intl.NumberFormat;

  constructor(
    readonly locale: string,
    readonly zone: string,
  ) {
    const time = { timeZone: zone, hour: '2-digit', minute: '2-digit' } as const;
    this.twelve = new Intl.DateTimeFormat(locale, time).resolvedOptions().hour12 === true;
    const hour = this.twelve ? 'numeric' : '2-digit';
    const cycle = this.twelve ? ({ hour12: true } as const) : ({ hourCycle: 'h23' } as const);
    this.axisNumbers = new Intl.NumberFormat(locale, { maximumSignificantDigits: 4 });
    this.clock = new Intl.DateTimeFormat(locale, { ...time, ...cycle, hour });
    this.clockSeconds = new Intl.DateTimeFormat(locale, { ...time, ...cycle, hour, second: '2-digit' });
  }

  /** A number with exactly so many decimals and a real minus sign. */
  number(value: number, decimals: number): string {
    let format = this.numbers.get(decimals);
    if (!format) {
      format = new Intl.NumberFormat(this.locale, { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
      this.numbers.set(decimals, format);
    }
    return format.format(roundTo(value, decimals)).replace('-', MINUS);
  }

  /** Kilowatts, 2 decimals, without unit. */
  kw(value: number): string {
    return this.number(value, 2);
  }

  /** Kilowatt-hours, 1 decimal, none from 1,000 up, without unit. */
  kwh(value: number): string {
    return this.number(value, Math.abs(value) >= 999.95 ? 0 : 1);
  }

  /** A value of an axis, with as many decimals as it needs. */
  axis(value: number): string {
    return this.axisNumbers.format(value);
  }

  /** A share as whole percents: "52 %". */
  percent(share: number): string {
    return `${this.number(share * 100, 0)}${NBSP}%`;
  }

  /** A completeness, always rounded down, so that "100 %" means everything: "99.98 %". */
  completeness(share: number): string {
    const percent = floorTo(share * 100, 2);
    return `${this.number(percent, percent === 100 || percent === 0 ? 0 : 2)}${NBSP}%`;
  }

  /** A signed change, for tables: "+9.0", "−1.3", "0.0" without sign. */
  change(value: number, decimals = 1): string {
    const rounded = roundTo(value, decimals);
    return (rounded > 0 ? '+' : '') + this.number(rounded, decimals);
  }

  /** A reading in its own unit, at most 3 decimals. */
  reading(value: number): string {
    const decimals = Math.abs(value) >= 1000 ? 0 : Math.abs(value) >= 100 ? 1 : Math.abs(value) >= 1 ? 2 : 3;
    return new Intl.NumberFormat(this.locale, { maximumFractionDigits: decimals }).format(value).replace('-', MINUS);
  }

  /** "31.2 million", "1,204". */
  count(value: number): string {
    if (value >= 1e9) return `${this.number(value / 1e9, 1)} billion`;
    if (value >= 1e6) return `${this.number(value / 1e6, 1)} million`;
    return this.number(value, 0);
  }

  /** "143 MB", "21.4 GB". */
  bytes(value: number): string {
    if (value >= 1e12) return `${this.number(value / 1e12, 1)}${NBSP}TB`;
    if (value >= 1e9) return `${this.number(value / 1e9, 1)}${NBSP}GB`;
    if (value >= 1e6) return `${this.number(value / 1e6, value >= 1e7 ? 0 : 1)}${NBSP}MB`;
    return `${this.number(value / 1e3, 0)}${NBSP}kB`;
  }

  /** "3 h 43 min", "2 d 4 h", "40 s". */
  duration(us: number): string {
    const seconds = Math.round(us / SECOND_US);
    if (seconds < 60) return `${seconds}${NBSP}s`;
    const minutes = Math.round(seconds / 60);
    if (minutes < 60) return `${minutes}${NBSP}min`;
    const hours = Math.floor(minutes / 60);
    if (hours < 48) return minutes % 60 ? `${hours}${NBSP}h ${minutes % 60}${NBSP}min` : `${hours}${NBSP}h`;
    const days = Math.floor(hours / 24);
    return hours % 24 ? `${days}${NBSP}d ${hours % 24}${NBSP}h` : `${days}${NBSP}d`;
  }

  /** "13:05" */
  time(us: number): string {
    return this.clock.format(us / 1000);
  }

  /** A time on an axis, as short as it is clear: "13:05", or by the 12 hour clock "6 AM" and "1:05". */
  tick(us: number): string {
    if (!this.twelve) return this.time(us);
    const parts = this.clock.formatToParts(us / 1000);
    const part = (type: Intl.DateTimeFormatPartTypes): string => parts.find((own) => own.type === type)?.value ?? '';
    return part('minute') === '00' ? `${part('hour')}${NBSP}${part('dayPeriod')}` : `${part('hour')}:${part('minute')}`;
  }

  /** The end of a day on an axis: "24:00", or "12 AM" by the 12 hour clock. */
  get endOfDay(): string {
    return this.twelve ? this.tick(startOfDay('2020-01-01', this.zone)) : '24:00';
  }

  /** "13:05:07" */
  timeSeconds(us: number): string {
    return this.clockSeconds.format(us / 1000);
  }

  /** "13:05" today, "15 Apr 09:35" this year, "15 Apr 2025" before. */
  moment(us: number, nowUs: number): string {
    const date = dateOf(us, this.zone);
    const today = dateOf(nowUs, this.zone);
    if (date === today) return this.time(us);
    if (date.slice(0, 4) === today.slice(0, 4)) return `${this.date(date, { day: 'numeric', month: 'short' })} ${this.time(us)}`;
    return this.date(date, { day: 'numeric', month: 'short', year: 'numeric' });
  }

  /** "2 s ago" up to a minute, then the moment. */
  ago(us: number, nowUs: number): string {
    const passed = Math.max(0, nowUs - us);
    return passed < MINUTE_US ? `${Math.floor(passed / SECOND_US)}${NBSP}s ago` : this.moment(us, nowUs);
  }

  /** "Wednesday 15 April 2026" */
  dayLong(date: string): string {
    return this.date(date, { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' }).replaceAll(',', '');
  }

  /** "Wed" */
  weekday(date: string): string {
    return this.date(date, { weekday: 'short' });
  }

  /** "Wed 15" */
  dayShort(date: string): string {
    return `${this.date(date, { weekday: 'short' })} ${Number(date.slice(8))}`;
  }

  /** "Tue 11 Nov 2025" */
  dayMiddle(date: string): string {
    return this.date(date, { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' }).replaceAll(',', '');
  }

  /** "3 March 2024" */
  dayWords(date: string): string {
    return this.date(date, { day: 'numeric', month: 'long', year: 'numeric' });
  }

  /** "3 Mar 2024" */
  dayBrief(date: string): string {
    return this.date(date, { day: 'numeric', month: 'short', year: 'numeric' });
  }

  /** "15 Apr" */
  dayMonth(date: string): string {
    return this.date(date, { day: 'numeric', month: 'short' });
  }

  /** "April 2026" or "April" */
  monthLong(date: string, year: boolean): string {
    return this.date(date, { month: 'long', ...(year ? { year: 'numeric' } : {}) });
  }

  /** "16–22 November 2026", "28 Dec – 3 Jan" */
  days(first: string, last: string, { year, short }: { year: boolean; short: boolean }): string {
    const format = this.dates({ day: 'numeric', month: short ? 'short' : 'long', ...(year ? { year: 'numeric' } : {}) });
    return format.formatRange(this.noonMs(first), this.noonMs(last)).replace(/\u2009|\u202f/g, ' ');
  }

  /** "Apr" or "Apr 2026" */
  month(date: string, year: boolean): string {
    const name = this.date(date, { month: 'short' }).slice(0, 3);
    return year ? `${name} ${date.slice(0, 4)}` : name;
  }

  private date(date: string, options: Intl.DateTimeFormatOptions): string {
    return this.dates(options).format(this.noonMs(date));
  }

  /** Formats are costly to make, and a year's table prints hundreds of dates. */
  private dates(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
    const name = JSON.stringify(options);
    let format = this.dateFormats.get(name);
    if (!format) {
      format = new Intl.DateTimeFormat(this.locale, { ...options, timeZone: this.zone });
      this.dateFormats.set(name, format);
    }
    return format;
  }

  /** The date's own noon, so that no zone can move it to a neighbour. */
  private noonMs(date: string): number {
    return (startOfDay(date, this.zone) + DAY_US / 2) / 1000;
  }
}

/** "Solar, the battery and the grid" */
export function listWords(words: readonly string[]): string {
  const last = words.at(-1) ?? '';
  if (words.length < 2) return last;
  return t('word.and', { a: words.slice(0, -1).join(', '), b: last });
}
