import { describe, expect, it } from 'vitest';
import { DAY_US, HOUR_US, addDays, dateOf, firstOfMonth, isDate, startOfDay } from '../src/domain/time';

const hours = (date: string, zone: string): number => (startOfDay(addDays(date, 1), zone) - startOfDay(date, zone)) / HOUR_US;

describe('startOfDay', () => {
  it.each([
    ['2026-11-20', 'Europe/Berlin', '2026-11-19T23:00:00.000Z'],
    ['2026-07-01', 'Europe/Berlin', '2026-06-30T22:00:00.000Z'],
    ['2026-07-01', 'Asia/Kolkata', '2026-06-30T18:30:00.000Z'],
    ['2026-07-01', 'Pacific/Auckland', '2026-06-30T12:00:00.000Z'],
    ['2026-07-01', 'America/Los_Angeles', '2026-07-01T07:00:00.000Z'],
    ['2026-07-01', 'UTC', '2026-07-01T00:00:00.000Z'],
    ['2026-09-06', 'America/Santiago', '2026-09-06T04:00:00.000Z'], // midnight is skipped: the day begins at 01:00
  ])('%s in %s is %s', (date, zone, iso) => {
    expect(new Date(startOfDay(date, zone) / 1000).toISOString()).toBe(iso);
    expect(dateOf(startOfDay(date, zone), zone)).toBe(date);
    expect(dateOf(startOfDay(date, zone) - 1, zone)).toBe(addDays(date, -1));
  });

  it('makes days of 23 and 25 hours where the clock changes', () => {
    expect([hours('2026-03-29', 'Europe/Berlin'), hours('2026-10-25', 'Europe/Berlin'), hours('2026-10-26', 'Europe/Berlin')]).toEqual([23, 25, 24]);
  });

  it('leaves no instant of a year without its day', () => {
    for (let us = Date.UTC(2026, 0, 1) * 1000; us < Date.UTC(2027, 0, 1) * 1000; us += DAY_US / 3 + 977) {
      const date = dateOf(us, 'Europe/Berlin');
      expect(startOfDay(date, 'Europe/Berlin')).toBeLessThanOrEqual(us);
      expect(startOfDay(addDays(date, 1), 'Europe/Berlin')).toBeGreaterThan(us);
    }
  });
});

describe('dates', () => {
  it('step over months and years', () => {
    expect(addDays('2026-12-31', 1)).toBe('2027-01-01');
    expect(addDays('2028-03-01', -1)).toBe('2028-02-29');
    expect(firstOfMonth('2026-01-31', -11)).toBe('2025-02-01');
  });

  it('are refused when they do not exist', () => {
    expect(['2026-02-29', '2026-13-01', '2026-1-1', 'today', ''].map(isDate)).toEqual([false, false, false, false, false]);
    expect(isDate('2028-02-29')).toBe(true);
  });
});
