import { describe, expect, it } from 'vitest';
import { describeHome } from '../src/domain/home';
import { lastHour } from '../src/domain/last-hour';
import { addColumns, appendSample, beginWithHours, bucketMeans, type Samples } from '../src/domain/minutes';
import { MINUTE_US } from '../src/domain/time';
import { entity } from './build';

const samples = (...rows: [number, number | null][]): Samples => ({ ts_us: rows.map(([ts]) => ts), value: rows.map(([, value]) => value) });

describe('bucketMeans', () => {
  it('weighs each reading by how long it held', () => {
    expect(bucketMeans(samples([0, 100], [30, 200], [60, 0]), 0, 60, 2, 120)).toEqual([150, 0]);
  });

  it('takes the reading in force at the start', () => {
    expect(bucketMeans(samples([-500, 7]), 0, 60, 3, 180)).toEqual([7, 7, 7]);
  });

  it('knows nothing before the first reading, during unavailability and after the end of what is known', () => {
    expect(bucketMeans(samples([60, 5], [120, null], [180, 9]), 0, 60, 5, 240)).toEqual([null, 5, null, 9, null]);
  });

  it('needs half of what has passed of a bucket', () => {
    expect(bucketMeans(samples([31, 4]), 0, 60, 1, 60)).toEqual([null]);
    expect(bucketMeans(samples([29, 4]), 0, 60, 1, 60)).toEqual([4]);
    expect(bucketMeans(samples([0, 4]), 0, 60, 1, 10)).toEqual([4]);
  });

  it('conserves the area of any readings', () => {
    const rows: [number, number][] = Array.from({ length: 200 }, (_, i) => [i * 37 + (i % 5), (i * 31) % 90]);
    const end = 7400;
    const whole = rows.reduce((area, [ts, value], i) => area + value * ((rows[i + 1]?.[0] ?? end) - ts), 0);
    const means = bucketMeans(samples(...rows), 0, 100, 74, end);
    expect(means.reduce<number>((area, mean) => area + (mean ?? 0) * 100, 0)).toBeCloseTo(whole, 6);
  });

  it('projects before it averages, so that charge and discharge do not cancel', () => {
    const battery = samples([0, 1000], [30, -1000]);
    expect(bucketMeans(battery, 0, 60, 1, 60, (watts) => Math.max(0, watts))).toEqual([500]);
  });
});

describe('appendSample', () => {
  it('replaces the same instant, refuses what is older', () => {
    const own = samples([10, 1], [20, 2]);
    appendSample(own, 20, 3, 0);
    appendSample(own, 15, 9, 0);
    appendSample(own, 30, null, 0);
    expect(own).toEqual(samples([10, 1], [20, 3], [30, null]));
  });

  it('forgets what is past, but not the reading in force', () => {
    const own = samples();
    for (let ts = 0; ts < 200; ts++) appendSample(own, ts, ts, 150);
    expect(own.ts_us[0]).toBeGreaterThan(50);
    expect(own.ts_us[0]).toBeLessThan(150);
  });
});

it('a day begins with hourly means where readings begin later', () => {
  const hours = samples([0, 20], [60, 22], [120, 25]);
  expect(beginWithHours(samples([90, 23]), hours, 0)).toEqual(samples([0, 20], [60, 22], [90, 23]));
  expect(beginWithHours(samples([-5, 23]), hours, 0)).toEqual(samples([-5, 23]));
  expect(beginWithHours(samples(), hours, 0)).toEqual(hours);
});

it('addColumns is unknown where any part is', () => {
  expect(addColumns([[1, 2, null], [3, null, 4]])).toEqual([4, null, null]);
  expect(addColumns([])).toEqual([]);
});

describe('lastHour', () => {
  const home = describeHome([entity('sun', 'solar_power'), entity('net', 'grid_power')]);
  const now = 1000 * MINUTE_US + 30e6;
  const ALL = { gaps: [], complete: { statistics_since_us: null, live_since_us: 0, share: 1 } };

  it('has 60 minutes, the present one last, and a home that closes the sum', () => {
    const hour = lastHour(home, new Map([['sun', samples([0, 3000])], ['net', samples([0, -1000])]]), now, now, ALL);
    expect(hour.startUs).toBe(941 * MINUTE_US);
    expect(hour.home).toHaveLength(60);
    expect(hour.home.at(-1)).toBe(2);
    expect([hour.solar?.at(-1), hour.grid?.at(-1), hour.battery]).toEqual([3, 0, null]);
    expect(hour.missing.some(Boolean)).toBe(false);
  });

  it('draws nothing into a gap', () => {
    const gap = { since_us: 950 * MINUTE_US, until_us: 955 * MINUTE_US, entities: 2, reason: null };
    const hour = lastHour(home, new Map([['sun', samples([0, 3000])], ['net', samples([0, 0])]]), now, now, { ...ALL, gaps: [gap] });
    expect(hour.missing.flatMap((missing, i) => (missing ? [i] : []))).toEqual([9, 10, 11, 12, 13]);
    expect(hour.solar?.[9]).toBeNull();
  });

  it('does not call missing what lies before listening began', () => {
    const begun = { ...ALL, complete: { ...ALL.complete, live_since_us: 990 * MINUTE_US } };
    const late = new Map([['sun', samples([990 * MINUTE_US, 1])], ['net', samples([990 * MINUTE_US, 1])]]);
    const hour = lastHour(home, late, now, now, begun);
    expect([hour.before, hour.missing.some(Boolean), hour.solar?.[48], hour.solar?.[49]]).toEqual([49, false, null, 0.001]);
  });

  it('is not known after the connection ended', () => {
    const hour = lastHour(home, new Map([['sun', samples([0, 1])], ['net', samples([0, 1])]]), now, 990 * MINUTE_US, ALL);
    expect(hour.missing.filter(Boolean)).toHaveLength(11);
  });
});
