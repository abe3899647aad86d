// @vitest-environment jsdom
import { html, render } from 'lit';
import { describe, expect, it } from 'vitest';
import { drawCell, wordsOf } from '../src/components/status/calendar-cell';
import type { DayCell } from '../src/domain/completeness';
import { BERLIN } from './build';

const DAY: DayCell = { date: '2026-04-15', kind: 'live', backfilled: false, missing_s: 0, ha_off_s: 0 };
const OFF = { missing_s: 60, ha_off_s: 60 };

function shapes(over: Partial<DayCell>, w = 15): Element[] {
  const box = document.createElement('div');
  render(html`<svg>${drawCell({ x: 20, y: 0, w, h: 11, dot: 2 }, { ...DAY, ...over })}</svg>`, box);
  return [...box.querySelectorAll('rect, circle, path')];
}

const drawn = (over: Partial<DayCell>): string[] => shapes(over).map((shape) => shape.getAttribute('class') ?? '');

const said = (over: Partial<DayCell>): string => wordsOf({ ...DAY, ...over }, BERLIN).replaceAll('\u00a0', ' ');

describe('a day of the calendar', () => {
  it('has a look of its own for each way to be known, and for what it lacks', () => {
    expect(drawn({})).toEqual(['live']);
    expect(drawn({ backfilled: true })).toEqual(['live', 'dot']);
    expect(drawn({ kind: 'statistics' })).toEqual(['statistics', 'line']);
    expect(drawn({ kind: 'blank' })).toEqual([]);
    expect(drawn({ missing_s: 60 })).toEqual(['missing']);
    expect(drawn(OFF)).toEqual(['off', 'rules']);
  });

  it('shows the worst of it, and a time in which Home Assistant was off before how the rest is known', () => {
    expect(drawn({ missing_s: 600, ha_off_s: 60 })).toEqual(['missing']);
    expect(drawn({ ...OFF, backfilled: true })).toEqual(['off', 'rules']);
    expect(drawn({ ...OFF, kind: 'statistics' })).toEqual(['off', 'rules']);
  });

  it('says the same in words', () => {
    expect(said({})).toBe('every reading');
    expect(said(OFF)).toBe('1 min missing: Home Assistant was off');
    expect(said({ missing_s: 600, ha_off_s: 60 })).toBe('10 min missing, of which Home Assistant was off for 1 min');
    expect(said({ missing_s: 600 })).toBe('10 min missing');
    expect(said({ backfilled: true })).toBe('partly backfilled, nothing missing');
  });

  it('is ruled inside its border however narrow, so that it differs not by colour alone', () => {
    for (const width of [6.3, 15, 27]) {
      const rules = shapes(OFF, width)[1]?.getAttribute('d') ?? '';
      const at = [...rules.matchAll(/M([\d.]+) 0v11/g)].map(([, x]) => Number(x) - 20);
      expect(at.length).toBeGreaterThanOrEqual(2);
      expect(at.every((x) => x > 1 && x < width - 1)).toBe(true);
    }
  });
});
