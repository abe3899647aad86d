import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { PeriodCache } from '../src/state/period-cache';
import type { Asked, PeriodEnergy } from '../src/state/period-energy';
import { periodAt } from '../src/domain/periods';
import { HOUR_US, startOfDay } from '../src/domain/time';

const ZONE = 'Europe/Amsterdam';
const NOW_US = startOfDay('2026-11-21', ZONE) + 13 * HOUR_US;

const day = (date: string): Asked => ({ site: 's', zone: ZONE, period: periodAt('day', date), compare: 'none', fine: true });
const answered = (asked: Asked): PeriodEnergy => ({ asked, was: null }) as unknown as PeriodEnergy;
const never = (): AbortSignal => new AbortController().signal;

function cache() {
  const fetched: string[] = [];
  const periods = new PeriodCache(
    (asked) => {
      fetched.push(asked.period.first);
      return Promise.resolve(answered(asked));
    },
    () => NOW_US,
  );
  return { periods, fetched };
}

describe('PeriodCache', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'performance'] });
    vi.stubGlobal('document', { hidden: false });
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  it('knows what was loaded, one that is not over for a minute only', async () => {
    const { periods } = cache();
    for (const date of ['2026-11-20', '2026-11-21']) await periods.load(day(date), never());
    vi.advanceTimersByTime(61_000);
    expect(periods.peek(day('2026-11-20'))?.of.asked.period.first).toBe('2026-11-20');
    expect(periods.peek(day('2026-11-21'))).toBeNull();
  });

  it('fetches ahead one after the other, and stops when others are asked for', async () => {
    const { periods, fetched } = cache();
    periods.prepare([day('2026-11-19'), day('2026-11-20')]);
    await vi.advanceTimersByTimeAsync(160);
    expect(fetched).toEqual(['2026-11-19']);
    periods.prepare([day('2026-11-19'), day('2026-11-18')]);
    await vi.advanceTimersByTimeAsync(1000);
    expect(fetched).toEqual(['2026-11-19', '2026-11-18']);
  });

  it('forgets a day of which Statistics are new, and keeps today to be shown until it is fetched anew', async () => {
    const { periods } = cache();
    for (const date of ['2026-11-19', '2026-11-20', '2026-11-21']) await periods.load(day(date), never());
    periods.forget(startOfDay('2026-11-20', ZONE), NOW_US);
    expect(['2026-11-19', '2026-11-20', '2026-11-21'].map((date) => periods.peek(day(date))?.old)).toEqual([false, undefined, true]);
  });

  it('asks once for what is on its way, unless that was given up', async () => {
    const { periods, fetched } = cache();
    const first = new AbortController();
    const both = [periods.load(day('2026-11-20'), first.signal), periods.load(day('2026-11-20'), never())];
    expect(fetched).toHaveLength(1);
    first.abort();
    await periods.load(day('2026-11-20'), never());
    expect(fetched).toHaveLength(2);
    await Promise.all(both);
  });
});
