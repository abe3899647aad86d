import { describe, expect, it } from 'vitest';
import type { Energy, Provenance } from '../src/api/types';
import { mix } from '../src/charts/colour';
import { calendarOf, lackingWords } from '../src/domain/completeness';
import { dayOf } from '../src/domain/day';
import { notesOf } from '../src/domain/notes';
import { knownSentence, marksOf } from '../src/domain/provenance';
import { counterWords, gapWords, gapsCount, gapsOf, gapsSentence, statusSentence, type Gap } from '../src/domain/status-words';
import { HOUR_US, MINUTE_US, startOfDay } from '../src/domain/time';
import { trustOf, type TrustInput } from '../src/domain/trust';
import { en } from '../src/i18n/en';
import { t, tcode, tn } from '../src/i18n';
import { AT_NOON_US, BERLIN, energy, entity, site } from './build';

const plain = (text: string): string => text.replaceAll('\u00a0', ' ');
const span = (from: number, until: number): string => `${from}–${until}`;

describe('how a period is known', () => {
  const say = (kinds: Provenance[], length = kinds.length, partly: number[] = []): string => knownSentence({ provenance: kinds, known: length, partly: (i) => partly.includes(i) }, span);

  it('is one sentence where all is alike', () => {
    expect(say(['measured', 'measured'])).toBe('All measured, nothing missing.');
    expect(say(['statistics'])).toBe('All from Home Assistant’s hourly statistics, nothing missing.');
    expect(say(['measured', 'missing', 'missing'], 1)).toBe('All measured, nothing missing.');
    expect(say([])).toBe('');
  });

  it('names what deviates, worst first, then the rest', () => {
    expect(say(['measured', 'backfilled', 'backfilled', 'measured'])).toBe('1–3 backfilled from Home Assistant. All else measured, nothing missing.');
    expect(say(['backfilled', 'missing', 'measured'])).toBe('1–2 missing. 0–1 backfilled from Home Assistant. All else measured.');
  });

  it('tells what is missing in part from what is missing', () => {
    expect(say(['measured', 'missing', 'missing'], 3, [2])).toBe('1–2 missing. 2–3 partly missing. All else measured.');
    expect(say(['missing'], 1, [0])).toBe('0–1 partly missing.');
  });

  it('shortens many spans', () => {
    const kinds = Array.from({ length: 10 }, (_, i): Provenance => (i % 2 ? 'measured' : 'backfilled'));
    expect(say(kinds)).toContain('0–1, 2–3 and 3 more times backfilled');
  });

  it('is marked in runs', () => {
    expect(marksOf(['measured', 'missing', 'missing', 'statistics'])).toEqual([
      { kind: 'missing', from: 1, until: 3, partly: false },
      { kind: 'statistics', from: 3, until: 4, partly: false },
    ]);
  });
});

describe('notes of a period', () => {
  const jump = (key: string, change: number) => ({ key, start_us: AT_NOON_US, change, usual: 1 });
  const entities = [entity('grid', 'grid_import', { name: 'Grid import', unit: 'kWh' }), entity('wash', 'device', { name: 'Washer', unit: 'kWh' })];
  const say = (of: Partial<Energy>) => notesOf(energy({}, of), entities, BERLIN, AT_NOON_US);

  it('tell all jumps of meters: what is one, the server decides', () => {
    const [note] = say({ jumps: [jump('grid', 40), jump('wash', 2)] });
    expect(note?.text).toMatch(/^2 hours of meters changed/);
    expect(note?.details).toEqual(['13:24: Grid import, 40 kWh', '13:24: Washer, 2 kWh']);
    expect(say({ jumps: [] })).toEqual([]);
  });

  it('tell how much energy a power came to', () => {
    const power = [entity('heater', 'device_power', { name: 'Heater', kind: 'power', unit: 'W' })];
    const [note] = notesOf(energy({}, { jumps: [jump('heater', 40)] }), power, BERLIN, AT_NOON_US);
    expect(note?.details).toEqual(['13:24: Heater, 40 kWh']);
  });

  it('name what no meter counts', () => {
    expect(say({ integrated: ['grid', 'wash'] })).toEqual([{ text: 'No meter counts Grid import and Washer: the energy is computed from the power.', details: [] }]);
  });

  it('name the meters that are in no sum', () => {
    const gas = [entity('flat', 'gas', { name: 'Gas of the flat', kind: 'gas', unit: 'kWh' })];
    const [note] = notesOf(energy({}, { left_out: ['flat'] }), gas, BERLIN, AT_NOON_US);
    expect(note?.text).toBe('Not in the sum: Gas of the flat. The unit cannot be converted to that of the other meters.');
  });
});

describe('status', () => {
  const gap = (cause: Gap['cause'], minutes: number, state: Gap['state'] = 'lost'): Gap => ({ since_us: AT_NOON_US, until_us: AT_NOON_US + minutes * MINUTE_US, entities: 41, cause, state });

  it('says what is complete and what is missing', () => {
    const home = site({ complete: { statistics_since_us: startOfDay('2023-01-01', 'Europe/Berlin'), live_since_us: startOfDay('2024-03-03', 'Europe/Berlin'), share: 0.99989 } });
    const sentence = statusSentence(home, { connected: true, nowUs: AT_NOON_US, lastUs: null }, BERLIN);
    expect(plain(sentence.complete)).toBe('99.98 % complete since 3 March 2024.');
    expect(sentence.gaps).toBe('No gaps.');
    expect(sentence.note).toBe('Hourly statistics from Home Assistant reach back to 1 January 2023. Home Assistant 2026.10.4 is connected.');
  });

  it('says that nothing is known yet', () => {
    expect(statusSentence(site(), { connected: false, nowUs: AT_NOON_US, lastUs: null }, BERLIN).complete).toBe('Listening has not begun yet.');
  });

  it('says nothing of now while the server does not answer', () => {
    const home = site({ complete: { statistics_since_us: null, live_since_us: startOfDay('2024-03-03', 'Europe/Berlin'), share: 1 } });
    const sentence = statusSentence(home, { connected: false, nowUs: AT_NOON_US, lastUs: AT_NOON_US - 10 * MINUTE_US }, BERLIN);
    expect(plain(sentence.complete)).toBe('At 13:14: 100 % complete since 3 March 2024.');
    expect(sentence.note).toBe('What happened since then waits in Home Assistant, and is fetched when the server is back.');
  });

  it('joins gaps of one cause', () => {
    expect(plain(gapsSentence([gap('ha_off', 141), gap('ha_off', 82)], BERLIN))).toBe('Two gaps, 3 h 43 min together, both while Home Assistant was off.');
    expect(plain(gapsSentence([gap('ha_off', 5)], BERLIN))).toBe('One gap of 5 min, while Home Assistant was off.');
    expect(plain(gapsSentence([gap('ha_off', 5), gap('unknown', 5), gap('purged', 5)], BERLIN))).toBe('3 gaps, 15 min together.');
  });

  it('says what waits to be filled', () => {
    const open = gap('server_stopped', 5, 'open');
    expect(plain(gapsSentence([open], BERLIN))).toBe('One gap of 5 min is waiting to be filled.');
    expect(plain(gapsSentence([open, open], BERLIN))).toBe('2 gaps, 10 min together, are waiting to be filled.');
    expect(plain(gapsSentence([open, gap('ha_off', 5), gap('purged', 5)], BERLIN))).toBe('3 gaps, 15 min together, 1 of them waiting to be filled.');
  });

  it('takes the gaps of the status until the sync is known', () => {
    const span = { since_us: 1, until_us: 2, entities: 3 };
    expect(gapsOf(site({ gaps: [{ ...span, reason: 'ha_off' }, { ...span, reason: null }] }), null)).toEqual([
      { ...span, cause: 'ha_off', state: 'lost' },
      { ...span, cause: 'unknown', state: 'open' },
    ]);
  });

  it('counts gaps by whether they can be filled', () => {
    expect([gapsCount([]), gapsCount([gap('ha_off', 1), gap('ha_off', 1)]), gapsCount([gap('ha_off', 1), gap('unreachable', 1, 'open')])]).toEqual(['None', '2, neither can be filled', '1 open']);
  });

  it('tells a gap’s day, length, hours and cause', () => {
    const words = gapWords(gap('ha_off', 82), BERLIN);
    expect([words.day, plain(words.length)]).toEqual(['Thu 16 Apr 2026', '1 h 22 min']);
    expect(words.what).toBe('13:24 to 14:46, 41 entities. Home Assistant was off, so no reading exists. It cannot be filled: energy is known from the meters and spread evenly.');
  });

  it('puts counters in words, biggest first, also those it does not know', () => {
    expect(counterWords('skipped', { too_long: 1, not_numeric: 12 }, BERLIN)).toBe('12 not a number, 1 too long');
    expect(counterWords('refused', { brand_new: 2 }, BERLIN)).toBe('2 brand_new');
    expect(counterWords('refused', { bad_time: 0 }, BERLIN)).toBe('none');
  });
});

describe('trustOf', () => {
  const well: TrustInput = { connection: 'open', site: site({ complete: { statistics_since_us: null, live_since_us: 0, share: 0.5 } }), siteConnected: true, newestUs: AT_NOON_US - 2e6, nowUs: AT_NOON_US };

  it.each([
    ['live', {}],
    ['off', { connection: 'down' }],
    ['connecting', { connection: 'connecting' }],
    ['waiting', { siteConnected: false }],
    ['waiting', { newestUs: AT_NOON_US - 61e6 }],
    ['waiting', { newestUs: null }],
    ['waiting', { site: null, siteConnected: false }],
    ['importing', { site: site({ link: { importing: { done: 5, total: 10 } } }) }],
    ['live', { site: site({ link: { importing: { done: 10, total: 10 } } }) }],
  ] as const)('%s: %j', (state, over) => {
    expect(trustOf({ ...well, ...over }).state).toBe(state);
  });

  it('says how far the import is', () => {
    expect(trustOf({ ...well, site: site({ link: { importing: { done: 5, total: 8 } } }) })).toEqual({ state: 'importing', share: 0.625 });
  });
});

describe('calendarOf', () => {
  const DAY_S = 86_400;
  const day = (date: string, over: object = {}) => ({ date, length_s: DAY_S, live_s: DAY_S, backfilled_s: 0, statistics_s: 0, missing_s: 0, ha_off_s: 0, ...over });

  it('has twelve months, the present one last and only up to today', () => {
    const months = calendarOf([], '2026-04-16');
    expect([months.length, months[0]?.date, months.at(-1)?.date, months.at(-1)?.days.length]).toEqual([12, '2025-05-01', '2026-04-01', 16]);
  });

  it('leaves days blank before anything was known', () => {
    const unknown = day('2026-04-01', { live_s: 0, missing_s: DAY_S });
    const [month] = calendarOf([unknown, day('2026-04-02')], '2026-04-02').slice(-1);
    expect(month?.days.map(({ kind, missing_s }) => [kind, missing_s])).toEqual([['blank', 0], ['live', 0]]);
    expect(month?.share).toBe(1);
  });

  it('counts what is missing, and marks what was backfilled', () => {
    const [month] = calendarOf([day('2026-04-01', { live_s: DAY_S / 2, missing_s: DAY_S / 2 }), day('2026-04-02', { live_s: 0, backfilled_s: DAY_S })], '2026-04-03').slice(-1);
    expect(month?.share).toBe(0.75);
    expect(month?.days[1]).toMatchObject({ kind: 'live', backfilled: true, missing_s: 0 });
  });

  it('does not call the rest of the hour missing in which listening began', () => {
    const days = [day('2026-04-01', { live_s: DAY_S - 1800, missing_s: 1800 })];
    const missing = (liveDay: string | null) => calendarOf(days, '2026-04-03', liveDay).at(-1)?.missing_s;
    expect([missing('2026-04-01'), missing(null), missing('2026-03-30')]).toEqual([0, 1800, 1800]);
  });

  it('does not call the newest moments missing, which nobody has claimed yet', () => {
    const [month] = calendarOf([day('2026-04-01', { live_s: HOUR_US / 1e6, missing_s: 30 })], '2026-04-01').slice(-1);
    expect([month?.missing_s, month?.share]).toEqual([0, 1]);
  });

  it('shows a minute in which Home Assistant was off also today, and never as 100 %', () => {
    const off = day('2026-04-01', { live_s: DAY_S / 2 - 60, missing_s: 60 + 30, ha_off_s: 60 });
    const [month] = calendarOf([off], '2026-04-01').slice(-1);
    expect(month?.days[0]).toMatchObject({ missing_s: 60, ha_off_s: 60 });
    expect([month?.missing_s, month?.ha_off_s]).toEqual([60, 60]);
    expect(plain(BERLIN.completeness(month?.share ?? 1))).toBe('99.86 %');
  });

  it('tells what is missing since Home Assistant was off from what is missing otherwise', () => {
    const say = (missing_s: number, ha_off_s: number) => plain(lackingWords({ missing_s, ha_off_s }, BERLIN));
    expect(say(60, 60)).toBe('1 min missing: Home Assistant was off');
    expect(say(3600, 600)).toBe('1 h missing, of which Home Assistant was off for 10 min');
    expect(say(600, 0)).toBe('10 min missing');
  });
});

describe('dayOf', () => {
  const span = (over: object = {}) => ({ length_s: 3600, live_s: 3600, backfilled_s: 0, statistics_s: 0, missing_s: 0, ha_off_s: 0, ...over });
  const hours = [span(), span({ live_s: 3540, missing_s: 60, ha_off_s: 60 }), span({ live_s: 3000, missing_s: 600, ha_off_s: 60 }), span({ live_s: 0 })];
  const known = dayOf(
    '2026-04-15',
    { site: 'home', zone: 'Europe/Berlin', hours: hours.map((hour, i) => ({ start_us: i, ...hour })) },
    { site: 'home', zone: 'Europe/Berlin', entities: [{ key: 'grid', ...span({ length_s: 86_400, live_s: 86_340, missing_s: 60, ha_off_s: 60 }) }] },
    [entity('grid', 'grid_import', { name: 'Grid import', unit: 'kWh' })],
  );

  it('names the hours in which Home Assistant was off, and for how long', () => {
    expect(known.hours.map(({ kind }) => kind)).toEqual(['live', 'off', 'missing', 'ahead']);
    expect(known.ha_off_s).toBe(120);
  });

  it('calls no entity complete that Home Assistant could not record', () => {
    expect(known.entities.map(({ kind, share }) => [kind, plain(BERLIN.completeness(share))])).toEqual([['off', '99.93 %']]);
  });
});

describe('colours', () => {
  it('are mixed also in the short form that a minifier writes', () => {
    expect([mix('#ff9800', '#fff', 0.7), mix('#ff9800', '#ffffff', 0.7), mix('#000', '#fff', 0.5)]).toEqual(['#ffb74d', '#ffb74d', '#808080']);
  });
});

describe('texts', () => {
  it('fill in what they are given', () => {
    expect(t('flow.at', { time: '13:24' })).toBe('at 13:24');
    expect([tn('entities.count', 1), tn('entities.count', 41)]).toEqual(['1 entity', '41 entities']);
    expect(tcode('refused', 'bad_time', 'refused.other')).toBe('with an impossible time');
  });

  it('have no exclamation marks', () => {
    expect(Object.values(en).filter((text) => text.includes('!'))).toEqual([]);
  });
});
