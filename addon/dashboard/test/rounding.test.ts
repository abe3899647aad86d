import { describe, expect, it } from 'vitest';
import { floorTo, roundParts, roundTo } from '../src/domain/rounding';

/** A small generator of its own, so that a failure can be repeated. */
function* random(seed: number): Generator<number> {
  let state = seed;
  for (;;) {
    state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296;
    yield state / 4_294_967_296;
  }
}

describe('roundParts', () => {
  it('gives parts that add up to the printed total', () => {
    const numbers = random(7);
    for (let round = 0; round < 500; round++) {
      const parts = Array.from({ length: 1 + (round % 7) }, () => numbers.next().value * 10 ** ((round % 4) - 1));
      const decimals = round % 3;
      const printed = roundParts(parts, decimals);
      const sum = parts.reduce((a, b) => a + b, 0);
      expect(Math.round(printed.reduce((a, b) => a + b, 0) * 10 ** decimals)).toBe(Math.round(sum * 10 ** decimals));
      printed.forEach((part, i) => {
        expect(Math.abs(part - (parts[i] ?? 0))).toBeLessThanOrEqual(10 ** -decimals + 1e-9);
      });
    }
  });

  it('gives the units that are left to the largest remainders', () => {
    expect(roundParts([1.24, 1.24, 1.22], 1)).toEqual([1.3, 1.2, 1.2]);
  });

  it('keeps to a total that is known from elsewhere', () => {
    expect(roundParts([1, 1, 1], 0, 4)).toEqual([2, 1, 1]);
    expect(roundParts([1, 1, 1], 0, 2)).toEqual([0, 1, 1]);
  });

  it('lets no part fall below zero', () => {
    expect(roundParts([0, 0, 3], 0, 1)).toEqual([0, 0, 1]);
    expect(roundParts([0, 0], 1, 0)).toEqual([0, 0]);
    expect(roundParts([], 1)).toEqual([]);
  });
});

describe('roundTo', () => {
  it('rounds half away from zero, as it looks in decimal', () => {
    expect([1.005, -1.005, 2.675, 0.045].map((value) => roundTo(value, 2))).toEqual([1.01, -1.01, 2.68, 0.05]);
    expect(Object.is(roundTo(-0.001, 2), 0)).toBe(true);
  });
});

describe('floorTo', () => {
  it('never says more than there is', () => {
    expect(floorTo(99.9999, 2)).toBe(99.99);
    expect(floorTo(0.29 * 100, 2)).toBe(29);
  });
});
