import { describe, expect, it } from 'vitest';
import { besideDay, calendarOf, daysLacking, lackOf } from '../src/domain/completeness';

const DAY_S = 86_400;
const day = (date: string, over: object = {}) => ({ date, length_s: DAY_S, live_s: DAY_S, backfilled_s: 0, statistics_s: 0, missing_s: 0, ha_off_s: 0, ...over });

describe('the day beside one', () => {
  const months = calendarOf([], '2026-03-02');
  const beside = (date: string, by: readonly [number, number]): string | null => {
    const month = months.findIndex((row) => row.date.slice(0, 7) === date.slice(0, 7));
    const place = besideDay(months, { month, day: Number(date.slice(8)) - 1 }, by);
    return place && (months[place.month]?.days[place.day]?.date ?? null);
  };

  it('is the day before or after, also in another month', () => {
    expect([beside('2026-03-02', [0, -1]), beside('2026-03-01', [0, -1]), beside('2026-01-31', [0, 1])]).toEqual(['2026-03-01', '2026-02-28', '2026-02-01']);
  });

  it('is the same day of the month above or below, where it has one', () => {
    expect([beside('2026-03-02', [-1, 0]), beside('2026-01-31', [1, 0]), beside('2026-02-03', [1, 0])]).toEqual(['2026-02-02', null, null]);
  });

  it('is none beyond the first and the last', () => {
    expect([beside('2026-03-02', [0, 1]), beside('2025-04-01', [0, -1]), beside('2025-04-01', [-1, 0])]).toEqual([null, null, null]);
  });
});

describe('what a day lacks', () => {
  it('marks a day as off only where Home Assistant was off for all that is missing', () => {
    expect([lackOf({ missing_s: 60, ha_off_s: 60 }), lackOf({ missing_s: 60.5, ha_off_s: 60 })]).toEqual(['off', 'off']);
    expect([lackOf({ missing_s: 60, ha_off_s: 0 }), lackOf({ missing_s: 600, ha_off_s: 590 })]).toEqual(['missing', 'missing']);
    expect([lackOf({ missing_s: 0, ha_off_s: 0 }), lackOf({ missing_s: 0.5, ha_off_s: 0 })]).toEqual([null, null]);
  });

  it('counts the days of each sort', () => {
    const off = { live_s: DAY_S - 60, missing_s: 60, ha_off_s: 60 };
    const missing = { live_s: DAY_S - 600, missing_s: 600, ha_off_s: 60 };
    const say = (...days: object[]) => daysLacking(calendarOf(days.map((over, i) => day(`2026-04-0${i + 1}`, over)), '2026-04-09'));
    expect(say({})).toBe('Nothing is missing.');
    expect(say({}, off)).toBe('On 1 day Home Assistant was off for a while. Nothing else is missing.');
    expect(say(off, missing, off)).toBe('1 day lacks readings. On 2 days Home Assistant was off for a while.');
    expect(say(missing, missing)).toBe('2 days lack readings.');
  });
});
