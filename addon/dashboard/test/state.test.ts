import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { parseLive } from '../src/api/live';
import { backoffMs } from '../src/state/backoff';
import { PacedValues } from '../src/state/paced';
import { samplesOf } from '../src/state/readings-window';
import { addressOf, parseRoute } from '../src/state/router';
import { tokenOf } from '../src/state/session';

describe('PacedValues', () => {
  beforeEach(() => vi.useFakeTimers({ toFake: ['setTimeout', 'performance'] }));
  afterEach(() => vi.useRealTimers());

  function paced() {
    const painted: [number, number | null][] = [];
    const values: PacedValues = new PacedValues({ now: () => performance.now(), after: (ms, run) => void setTimeout(run, ms) }, () => {
      painted.push([performance.now() - start, values.shown.get('a')?.value ?? null]);
    });
    const start = performance.now();
    return { painted, set: (value: number, ts = performance.now()) => { values.set('a', { ts_us: ts, value }); }, values };
  }

  it('shows an isolated change at once', () => {
    const { painted, set } = paced();
    set(1);
    vi.advanceTimersByTime(700);
    set(2);
    expect(painted).toEqual([[0, 1], [700, 2]]);
  });

  it('shows a busy value at most twice a second, and its last state in the end', () => {
    const { painted, set, values } = paced();
    for (let i = 0; i < 30; i++) {
      set(i);
      vi.advanceTimersByTime(100);
    }
    vi.advanceTimersByTime(1000);
    const gaps = painted.slice(1).map(([at], i) => at - (painted[i]?.[0] ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(500);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(600);
    expect(values.shown.get('a')?.value).toBe(29);
  });

  it('paces each value for itself', () => {
    const { values } = paced();
    values.set('a', { ts_us: 1, value: 1 });
    values.set('b', { ts_us: 1, value: 2 });
    expect([values.shown.get('a')?.value, values.shown.get('b')?.value]).toEqual([1, 2]);
  });

  it('leaves out what is older than what is known', () => {
    const { values } = paced();
    values.set('a', { ts_us: 5, value: 5 });
    values.set('a', { ts_us: 4, value: 4 });
    values.seed('a', { ts_us: 3, value: 3 });
    vi.advanceTimersByTime(1000);
    expect(values.shown.get('a')?.value).toBe(5);
  });
});

describe('addresses', () => {
  it.each([
    ['', '', 'now'],
    ['now', '', 'now'],
    ['/status/', '', 'status'],
    ['energy', '?day=2026-11-20', 'energy?day=2026-11-20'],
    ['energy', '?day=2026-02-30', 'energy'],
    ['now', '?day=2026-11-20', 'now'],
    ['energy', '?day=now', 'energy'],
    ['energy', '?week=2026-11-16', 'energy?week=2026-11-16'],
    ['energy', '?month=2026-11', 'energy?month=2026-11'],
    ['energy', '?month=2026-11-20', 'energy?month=2026-11'],
    ['energy', '?month=now&compare=none', 'energy?month=now&compare=none'],
    ['energy', '?year=2025&compare=year', 'energy?year=2025&compare=year'],
    ['energy', '?year=9', 'energy?year=now'],
    ['energy', '?from=2026-11-20&to=2026-11-02', 'energy?from=2026-11-02&to=2026-11-20'],
    ['energy', '?from=2026-11-02', 'energy'],
    ['energy', '?from=1900-01-01&to=2026-11-02', 'energy'],
    ['energy', '?compare=nothing', 'energy'],
    ['energy', '?site=b&month=2026-11', 'energy?month=2026-11&site=b'],
    ['status', '?site=a%26b', 'status?site=a%26b'],
    ['costs', '', 'now'],
  ])('%s%s is %s', (path, search, address) => {
    expect(addressOf(parseRoute(path, search))).toBe(address);
  });
});

it('a token in the address is found, and only there', () => {
  expect([tokenOf('#token=abc%2F1'), tokenOf('#token='), tokenOf('#main'), tokenOf('')]).toEqual(['abc/1', null, null, null]);
});

it('waits longer from attempt to attempt, up to five seconds and a bit', () => {
  expect([0, 1, 2, 10].map((attempt) => backoffMs(attempt, 0.5))).toEqual([1000, 2000, 4000, 5000]);
  expect(backoffMs(20, 0.999)).toBeLessThan(6250);
});

it('live messages of an unknown type are left out', () => {
  expect(parseLive('{"type":"readings","rows":[["a",1,null]]}')).toEqual({ type: 'readings', rows: [['a', 1, null]] });
  expect([parseLive('{"type":"new"}'), parseLive('[]'), parseLive('null')]).toEqual([null, null, null]);
});

it('readings begin with the one in force', () => {
  const span = { key: 'a', unit: 'W', start_us: 10, end_us: 20 };
  expect(samplesOf({ ...span, reduced: false, before: { ts_us: 3, value: 1 }, ts_us: [12], value: [null] })).toEqual({ ts_us: [3, 12], value: [1, null] });
  expect(samplesOf({ ...span, reduced: false, before: null, ts_us: [12], value: [2] })).toEqual({ ts_us: [12], value: [2] });
});
