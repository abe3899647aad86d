import { describe, expect, it } from 'vitest';
import { Loader } from '../src/state/loader';
import { ShownPeriods, type Showing } from '../src/state/shown-period';
import { periodAt } from '../src/domain/periods';
import { BERLIN, energy } from './build';

function host() {
  const updates: number[] = [];
  const of = { addController: () => undefined, removeController: () => undefined, requestUpdate: () => void updates.push(1), updateComplete: Promise.resolve(true) };
  return { loader: new Loader<string>(of), updates };
}

describe('Loader', () => {
  it('has what is at hand at once, and no other update is due', () => {
    const { loader, updates } = host();
    loader.load('a', () => 'A');
    expect(loader.data).toBe('A');
    expect(updates).toEqual([]);
  });

  it('keeps what is shown when a former answer comes late', async () => {
    const { loader } = host();
    let arrive: (data: string) => void = () => undefined;
    loader.load('late', () => new Promise((resolve) => (arrive = resolve)));
    loader.load('a', () => 'A');
    arrive('late');
    await Promise.resolve();
    expect(loader.data).toBe('A');
  });
});

describe('ShownPeriods', () => {
  const showing: Showing = { narrow: true, formats: BERLIN, sinceUs: null };
  const of = { asked: { site: 's', zone: BERLIN.zone, period: periodAt('day', '2026-11-20'), compare: 'none' as const, fine: true }, energy: energy({ solar: 2, home: 2 }), was: null };

  it('makes a period once, and anew when the page shows it otherwise', () => {
    const periods = new ShownPeriods();
    const made = periods.of(of, showing, 0);
    expect(periods.of(of, { ...showing }, 1)).toBe(made);
    expect(periods.of(of, { ...showing, narrow: false }, 0)).not.toBe(made);
    expect(made.numbers[0]?.value).toBe('2.0');
  });
});
