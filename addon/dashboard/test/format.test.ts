import { describe, expect, it } from 'vitest';
import { Formats, listWords, localeOf } from '../src/domain/format';
import { DAY_US, HOUR_US, MINUTE_US, SECOND_US } from '../src/domain/time';
import { AT_NOON_US, BERLIN } from './build';

const plain = (text: string): string => text.replaceAll(/[\u00a0\u202f]/g, ' ');

describe('numbers', () => {
  it('have the decimals of their kind', () => {
    expect([BERLIN.kw(3.844), BERLIN.kw(0), BERLIN.kwh(32.94), BERLIN.kwh(999.94), BERLIN.kwh(1204.4)]).toEqual(['3.84', '0.00', '32.9', '999.9', '1,204']);
  });

  it('say a change with a sign, and no change without', () => {
    expect([BERLIN.change(9), BERLIN.change(-1.34), BERLIN.change(-0.04), BERLIN.change(0)]).toEqual(['+9.0', '−1.3', '0.0', '0.0']);
  });

  it('never print an incomplete share as 100 %', () => {
    expect([1, 0.9999999, 0.99985, 0.5, 0].map((share) => plain(BERLIN.completeness(share)))).toEqual(['100 %', '99.99 %', '99.98 %', '50.00 %', '0 %']);
  });

  it('shorten what is large', () => {
    expect([BERLIN.count(1204), BERLIN.count(31_204_118)]).toEqual(['1,204', '31.2 million']);
    expect([143e6, 21.4e9, 4.2e6, 900].map((bytes) => plain(BERLIN.bytes(bytes)))).toEqual(['143 MB', '21.4 GB', '4.2 MB', '1 kB']);
  });

  it('keep a reading in its own unit to what can be read', () => {
    expect([4218.37, 231.44, 7.412, 0.2814].map((value) => BERLIN.reading(value))).toEqual(['4,218', '231.4', '7.41', '0.281']);
  });
});

describe('times', () => {
  it('are those of the home, not of the browser', () => {
    expect([BERLIN.time(AT_NOON_US), BERLIN.timeSeconds(AT_NOON_US)]).toEqual(['13:24', '13:24:07']);
  });

  it('follow the user’s clock', () => {
    const twelve = new Formats('en-US', 'Europe/Berlin');
    expect([twelve.time(AT_NOON_US), twelve.tick(AT_NOON_US), twelve.tick(AT_NOON_US - 24 * MINUTE_US - 7 * SECOND_US), twelve.endOfDay].map(plain)).toEqual(['1:24 PM', '1:24', '1 PM', '12 AM']);
    expect([BERLIN.tick(AT_NOON_US), BERLIN.endOfDay]).toEqual(['13:24', '24:00']);
  });

  it('are as long as they must be', () => {
    const moment = (ago: number): string => plain(BERLIN.moment(AT_NOON_US - ago, AT_NOON_US));
    expect([moment(HOUR_US), moment(DAY_US), moment(120 * DAY_US)]).toEqual(['12:24', '15 Apr 13:24', '17 Dec 2025']);
  });

  it('are ages up to a minute', () => {
    expect([2, 59, 61].map((s) => plain(BERLIN.ago(AT_NOON_US - s * SECOND_US, AT_NOON_US)))).toEqual(['2 s ago', '59 s ago', '13:23']);
    expect(plain(BERLIN.ago(AT_NOON_US + SECOND_US, AT_NOON_US))).toBe('0 s ago');
  });

  it('are lengths in two units at most', () => {
    const lengths = [40 * SECOND_US, 4 * MINUTE_US, 223 * MINUTE_US, 2 * HOUR_US, 52 * HOUR_US];
    expect(lengths.map((us) => plain(BERLIN.duration(us)))).toEqual(['40 s', '4 min', '3 h 43 min', '2 h', '2 d 4 h']);
  });

  it('name days', () => {
    expect([BERLIN.dayLong('2026-04-15'), BERLIN.dayShort('2026-04-15'), BERLIN.dayWords('2024-03-03'), BERLIN.dayMiddle('2025-11-11')]).toEqual([
      'Wednesday 15 April 2026',
      'Wed 15',
      '3 March 2024',
      'Tue 11 Nov 2025',
    ]);
  });
});

it('the locale is the first English one, since the strings are English', () => {
  expect([localeOf(['de-DE', 'en-US']), localeOf(['de-DE']), localeOf(['en-IE'])]).toEqual(['en-US', 'en-GB', 'en-IE']);
});

it('lists end in a word', () => {
  expect([listWords([]), listWords(['a']), listWords(['a', 'b']), listWords(['a', 'b', 'c'])]).toEqual(['', 'a', 'a and b', 'a, b and c']);
});
