import { describe, expect, it } from 'vitest';
import { comparedName, periodName, periodShort } from '../src/domain/period-names';
import { addYears, choose, comparedSpan, comparedWith, daysOf, neighbour, parseChosen, periodAt, periodOf, queryOf, resolutionOf, spanOf, withKind, type Compare, type Kind, type Period } from '../src/domain/periods';
import { stepsName, ticksOf } from '../src/domain/step-names';
import { joinAt, lengthOf, onlyHours, stepsOf } from '../src/domain/steps';
import { DAY_US, HOUR_US, addDays, startOfDay } from '../src/domain/time';
import { BERLIN, energy, flows } from './build';

const ZONE = 'Europe/Berlin';
const range = (first: string, last: string): Period => ({ kind: 'range', first, last });
const brief = ({ first, last }: Period): string => `${first} ${last}`;

describe('a period holds its date', () => {
  it.each<[Kind, string, string]>([
    ['day', '2026-11-21', '2026-11-21 2026-11-21'],
    ['week', '2026-11-21', '2026-11-16 2026-11-22'],
    ['week', '2026-11-16', '2026-11-16 2026-11-22'],
    ['week', '2026-11-22', '2026-11-16 2026-11-22'],
    ['week', '2027-01-01', '2026-12-28 2027-01-03'],
    ['month', '2028-02-29', '2028-02-01 2028-02-29'],
    ['month', '2026-12-31', '2026-12-01 2026-12-31'],
    ['year', '2026-11-21', '2026-01-01 2026-12-31'],
    ['range', '2026-11-21', '2026-11-15 2026-11-21'],
  ])('%s of %s', (kind, date, expected) => {
    expect(brief(periodAt(kind, date))).toBe(expected);
  });

  it('a range given backwards is turned round', () => {
    expect(brief(periodOf({ kind: 'range', date: '2026-11-09', last: '2026-11-02', compare: 'none' }, '2026-11-21'))).toBe('2026-11-02 2026-11-09');
  });
});

describe('neighbours', () => {
  it.each<[Kind, string, string]>([
    ['day', '2026-03-29', '2026-03-30'],
    ['week', '2026-10-19', '2026-10-26'],
    ['month', '2026-01-31', '2026-02-01'],
    ['year', '2026-05-05', '2027-01-01'],
  ])('the %s after that of %s begins on %s, and leads back', (kind, date, first) => {
    const period = periodAt(kind, date);
    const next = neighbour(period, 1);
    expect(next.first).toBe(first);
    expect(neighbour(next, -1)).toEqual(period);
    expect(addDays(period.last, 1)).toBe(next.first);
  });

  it('a range steps by its length', () => {
    expect(brief(neighbour(range('2026-02-27', '2026-03-02'), 1))).toBe('2026-03-03 2026-03-06');
    expect(brief(neighbour(range('2026-02-27', '2026-03-02'), -1))).toBe('2026-02-23 2026-02-26');
  });
});

describe('what a period is compared with', () => {
  it.each<[Period, Compare, string | null]>([
    [periodAt('day', '2026-03-01'), 'before', '2026-02-28 2026-02-28'],
    [periodAt('day', '2028-02-29'), 'year', '2027-02-28 2027-02-28'],
    [periodAt('week', '2026-11-16'), 'year', '2025-11-17 2025-11-23'],
    [periodAt('month', '2026-03-05'), 'year', '2025-03-01 2025-03-31'],
    [periodAt('year', '2026-03-05'), 'before', '2025-01-01 2025-12-31'],
    [range('2026-11-02', '2026-11-09'), 'year', '2025-11-02 2025-11-09'],
    [periodAt('month', '2026-03-05'), 'none', null],
  ])('%o, %s', (period, compare, expected) => {
    const was = comparedWith(period, compare);
    expect(was && brief(was)).toBe(expected);
  });

  const compared = (period: Period, now: string, compare: Compare = 'before'): string | null => {
    const was = comparedWith(period, compare);
    const span = was && comparedSpan(period, was, ZONE, startOfDay(now.slice(0, 10), ZONE) + (Date.parse(`1970-01-01T${now.slice(11)}Z`) * 1000));
    return was && span && comparedName(was, span, period, BERLIN);
  };

  it('is the whole of it once the period is over', () => {
    expect(compared(periodAt('day', '2026-04-15'), '2026-04-16T09:00')).toBe('Tue 14');
    expect(compared(periodAt('month', '2026-03-01'), '2026-04-16T09:00')).toBe('February');
    expect(compared(periodAt('month', '2026-01-01'), '2026-04-16T09:00')).toBe('Dec 2025');
  });

  it('is the same part while the period lasts', () => {
    expect(compared(periodAt('day', '2026-04-16'), '2026-04-16T13:24')).toBe('Wed 15 until 13:20');
    expect(compared(periodAt('month', '2026-04-01'), '2026-04-16T13:24')).toMatch(/^1\s?–\s?16 Mar$/);
    expect(compared(periodAt('year', '2026-04-01'), '2026-04-16T13:24')).toMatch(/^1 Jan\s?–\s?16 Apr 2025$/);
  });

  it('never reaches beyond the shorter month', () => {
    const [march, february] = [periodAt('month', '2026-03-01'), periodAt('month', '2026-02-01')];
    expect(comparedSpan(march, february, ZONE, startOfDay('2026-03-31', ZONE) + HOUR_US)).toEqual({ ...spanOf(february, ZONE), part: false });
  });

  it('is nothing before the period has begun', () => {
    expect(compared(periodAt('day', '2026-04-16'), '2026-04-15T13:24')).toBeNull();
    expect(compared(periodAt('day', '2026-04-16'), '2026-04-16T00:01')).toBeNull();
  });

  it('a day when the clock changes is compared to the same clock time', () => {
    const [day, before] = [periodAt('day', '2026-03-30'), periodAt('day', '2026-03-29')];
    const span = comparedSpan(day, before, ZONE, startOfDay('2026-03-30', ZONE) + HOUR_US);
    expect(span).toMatchObject({ startUs: startOfDay('2026-03-29', ZONE), endUs: startOfDay('2026-03-29', ZONE) + HOUR_US });
  });
});

it('spans are as long as the clocks make them', () => {
  const hours = (period: Period): number => (spanOf(period, ZONE).endUs - spanOf(period, ZONE).startUs) / HOUR_US;
  expect([periodAt('day', '2026-03-29'), periodAt('week', '2026-10-25'), periodAt('month', '2026-10-01'), periodAt('year', '2026-01-01')].map(hours)).toEqual([23, 169, 745, 8760]);
});

it('years are added to any date', () => {
  expect([addYears('2028-02-29', -1), addYears('2028-02-29', 4), addYears('2026-12-31', 1)]).toEqual(['2027-02-28', '2032-02-29', '2027-12-31']);
});

it('steps are picked by length', () => {
  const of = (period: Period, fine = true): string => resolutionOf(period, fine);
  expect(['day', 'week', 'month', 'year'].map((kind) => of(periodAt(kind as Kind, '2026-11-21')))).toEqual(['5min', 'hour', 'day', 'month']);
  expect(of(periodAt('day', '2026-11-21'), false)).toBe('hour');
  const days = [1, 2, 8, 9, 62, 63, 366, 367, 8 * 366, 8 * 366 + 1];
  expect(days.map((length) => of(range('2010-01-01', addDays('2010-01-01', length - 1))))).toEqual(['5min', 'hour', 'hour', 'day', 'day', 'week', 'week', 'month', 'month', 'year']);
});

describe('choosing', () => {
  const today = '2026-11-21';
  const at = (search: string) => parseChosen(search);

  it('another kind stays at the same place', () => {
    const to = (search: string, kind: Kind): string => queryOf(withKind(at(search), kind, today));
    expect(to('', 'month')).toBe('month=now');
    expect(to('month=2026-03', 'day')).toBe('day=2026-03-01');
    expect(to('month=2026-11', 'day')).toBe('');
    expect(to('day=2026-11-02', 'month')).toBe('month=now');
    expect(to('year=2024&compare=none', 'week')).toBe('week=2024-01-01&compare=none');
    expect(to('', 'range')).toBe('from=2026-11-15&to=2026-11-21');
    expect(to('month=now', 'range')).toBe('from=2026-11-01&to=2026-11-21');
    expect(to('month=2026-02', 'range')).toBe('from=2026-02-01&to=2026-02-28');
    expect(to('from=2026-02-03&to=2026-02-20', 'week')).toBe('week=2026-02-03');
  });

  it('the present period stays the present one', () => {
    expect(queryOf(choose(periodAt('week', today), 'before', today))).toBe('week=now');
    expect(queryOf(choose(periodAt('week', '2026-11-09'), 'year', today))).toBe('week=2026-11-09&compare=year');
  });

  it('an address leads back to what was chosen', () => {
    for (const query of ['', 'day=2026-11-20', 'week=2026-11-16', 'month=2026-11', 'year=2026&compare=none', 'from=2026-01-01&to=2026-01-01&compare=year']) {
      expect(queryOf(at(query))).toBe(query);
    }
  });
});

describe('names', () => {
  it.each([
    [periodAt('day', '2026-04-15'), 'Wednesday 15 April 2026', 'Wed 15'],
    [periodAt('month', '2026-04-15'), 'April 2026', 'April'],
    [periodAt('year', '2026-04-15'), '2026', '2026'],
  ])('%o', (period, name, short) => {
    expect([periodName(period, BERLIN), periodShort(period, period, BERLIN)]).toEqual([name, short]);
  });

  it('say the year where it is not the same', () => {
    expect(periodShort(periodAt('day', '2025-04-15'), periodAt('day', '2026-04-15'), BERLIN)).toBe('15 Apr 2025');
    expect(periodShort(periodAt('month', '2025-04-15'), periodAt('month', '2026-04-15'), BERLIN)).toBe('Apr 2025');
  });

  it('of a week span its days', () => {
    expect(periodName(periodAt('week', '2026-11-21'), BERLIN)).toMatch(/^16\s?–\s?22 November 2026$/);
    expect(daysOf(periodAt('week', '2026-11-21'))).toBe(7);
  });
});

describe('steps', () => {
  const edgesOf = (first: string, days: number, hours: boolean): number[] => {
    const end = startOfDay(addDays(first, days), ZONE);
    const edges: number[] = [];
    if (hours) for (let us = startOfDay(first, ZONE); us <= end; us += HOUR_US) edges.push(us);
    else for (let i = 0; i <= days; i++) edges.push(startOfDay(addDays(first, i), ZONE));
    return edges;
  };
  const of = (edges_us: number[], resolution: 'hour' | 'day' | '5min', unknown = 0, provenance: 'measured' | 'statistics' = 'measured') =>
    energy({}, {
      resolution,
      edges_us,
      flows: flows(() => edges_us.slice(1).map((_, i) => (i < unknown ? null : 1))),
      provenance: edges_us.slice(1).map((_, i) => (i < unknown ? 'missing' : provenance)),
      gas: { unit: 'm³', values: edges_us.slice(1).map(() => 1), provenance: edges_us.slice(1).map(() => provenance), total: edges_us.length - 1 },
    });

  it('of a week are joined to threes on a narrow page, by the clock also when it changes', () => {
    for (const [first, hours] of [['2026-10-19', 169], ['2026-03-23', 167], ['2026-11-16', 168]] as const) {
      const week = of(edgesOf(first, 7, true), 'hour');
      expect(lengthOf(week, true)).toBe('3hours');
      expect(lengthOf(week, false)).toBe('hour');
      const steps = stepsOf(week, [], '3hours', Infinity);
      expect(steps.from[0]?.values).toHaveLength(56);
      expect(steps.from[0]?.values.reduce<number>((sum, value) => sum + (value ?? 0), 0)).toBe(hours);
      expect(steps.gas?.values).toHaveLength(56);
      expect(ticksOf(steps, true, BERLIN).map(({ label }) => label)).toEqual(['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun']);
    }
  });

  it('are hours where statistics are all that is known', () => {
    const edges = Array.from({ length: 289 }, (_, i) => startOfDay('2026-11-20', ZONE) + (i * HOUR_US) / 12);
    expect(onlyHours(of(edges, '5min', 3, 'statistics'))).toBe(true);
    expect(lengthOf(of(edges, '5min', 3, 'statistics'), true)).toBe('hour');
    expect(lengthOf(of(edges, '5min'), true)).toBe('15min');
    expect(stepsOf(of(edges, '5min', 0, 'statistics'), [], 'hour', Infinity).from[0]?.values).toEqual(Array.from({ length: 24 }, () => 12));
  });

  it('before all records are not missing', () => {
    const month = of(edgesOf('2026-11-01', 30, false), 'day', 9);
    expect(stepsOf(month, [], 'day', Infinity, startOfDay('2026-11-10', ZONE)).before).toBe(9);
    expect(stepsOf(month, [], 'day', Infinity, startOfDay('2026-11-05', ZONE) + 1).before).toBe(4);
    expect(stepsOf(month, [], 'day', Infinity).before).toBe(0);
  });

  it('have names', () => {
    const names = (first: string, days: number, hours: boolean, length: 'hour' | 'day' | 'week' | 'month' | 'year', until: number): string =>
      stepsName({ edges_us: edgesOf(first, days, hours), length }, 0, until, BERLIN);
    expect(names('2026-11-20', 1, true, 'hour', 1)).toBe('00:00–01:00');
    expect(names('2026-11-20', 1, true, 'hour', 24)).toBe('00:00–24:00');
    expect(names('2026-11-16', 7, true, 'hour', 3)).toBe('Mon 16 00:00–03:00');
    expect(names('2026-11-01', 30, false, 'day', 1)).toBe('1 Nov');
    expect(names('2026-11-01', 30, false, 'day', 3)).toMatch(/^1\s?–\s?3 Nov$/);
    expect(names('2026-11-01', 61, false, 'month', 30)).toBe('November');
    expect(names('2026-11-01', 61, false, 'month', 61)).toBe('November–December');
    expect(names('2026-11-01', 92, false, 'month', 92)).toBe('November 2026–January 2027');
    expect(names('2026-11-01', 61, false, 'year', 61)).toBe('2026');
  });

  it('of a month are labelled by their number', () => {
    const ticks = ticksOf(stepsOf(of(edgesOf('2026-11-01', 30, false), 'day'), [], 'day', Infinity), false, BERLIN);
    expect(ticks.map(({ label }) => label)).toEqual(['1', '5', '10', '15', '20', '25', '30']);
    expect(ticks[1]?.at).toBe(4.5);
  });

  it('joined anywhere keep their sum', () => {
    const day = of(edgesOf('2026-11-20', 1, true), 'hour');
    const joined = joinAt(day, [0, 5, 7]);
    expect(joined.flows.home).toEqual([5, 2, 17]);
    expect((joined.edges_us.at(-1) ?? 0) - (joined.edges_us[0] ?? 0)).toBe(DAY_US);
  });
});
