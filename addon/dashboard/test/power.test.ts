import { describe, expect, it } from 'vitest';
import { describeHome } from '../src/domain/home';
import { deviceRows, existingLinks, powerNow, rankDevices } from '../src/domain/power';
import { powerSentence, powerTrouble } from '../src/domain/sentence';
import { BERLIN, entity, latest } from './build';

const SOURCES = [
  entity('sun', 'solar_power'),
  entity('net', 'grid_power'),
  entity('cell', 'battery_power'),
  entity('soc', 'battery_level', { kind: 'battery_level', unit: '%' }),
];
const DEVICES = [
  entity('car', 'device_power', { group: 'device:0', label: 'EV charger' }),
  entity('pump', 'device_power', { group: 'device:1', label: 'Heat pump' }),
  entity('fridge', 'device_power', { group: 'device:2' }),
];
const home = describeHome([...SOURCES, ...DEVICES]);
const timeOf = (us: number): string => BERLIN.time(us);

describe('powerNow', () => {
  const now = powerNow(home, latest({ sun: 3840, net: -260, cell: -730, soc: 89 }));

  it('prints each source as its own reading, and a home that closes the sum', () => {
    expect([now.solar, now.grid, now.battery, now.home].map((amount) => amount?.state === 'known' && amount.kw)).toEqual([3.84, -0.26, -0.73, 2.85]);
    expect(now.charge).toBe(89);
    expect(now.home.keys).toEqual(['sun', 'net', 'cell']);
  });

  it('says who feeds whom', () => {
    expect(now.links.solar_to_home).toBeCloseTo(2.85, 9);
    expect(now.links.solar_to_battery).toBeCloseTo(0.73, 9);
    expect(now.links.solar_to_grid).toBeCloseTo(0.26, 9);
    expect(powerSentence(now)).toBe('Solar covers all use. The rest charges the battery and goes to the grid.');
  });

  it('prints what is too small to print as zero, and a sleeping inverter as no production', () => {
    const night = powerNow(home, latest({ sun: -6, net: 412, cell: 3, soc: 10 }));
    expect(night.solar).toMatchObject({ kw: 0 });
    expect(night.battery).toMatchObject({ kw: 0 });
    expect(powerSentence(night)).toBe('The grid supplies all use.');
  });

  it('draws the rest when one source has no value', () => {
    const part = powerNow(home, latest({ sun: 2000, net: null, cell: 0, soc: 50 }));
    expect(part.grid?.state).toBe('unavailable');
    expect(part.home.state).toBe('unavailable');
    expect([...part.unknown].sort()).toEqual(['battery_to_grid', 'grid_to_battery', 'grid_to_home', 'solar_to_grid']);
    expect(powerTrouble(part, timeOf)).toEqual({ what: 'Grid power is unavailable since 13:24.', then: 'Home use cannot be worked out without it.' });
  });

  it('knows the home from its own meter where the grid has no value', () => {
    const metered = describeHome([...SOURCES, entity('house', 'home_power')]);
    const part = powerNow(metered, latest({ sun: 3000, net: null, cell: -500, soc: 50, house: 2500 }));
    expect(part.home).toMatchObject({ state: 'known', kw: 2.5, keys: ['house'] });
    expect(part.links.solar_to_home).toBeCloseTo(2.5, 9);
    expect(powerTrouble(part, timeOf)?.then).toBe('Home use is from its own meter.');
  });

  it('tells a source without a power sensor from one without a value', () => {
    const counted = powerNow(describeHome([entity('meter', 'grid_import', { kind: 'energy', unit: 'kWh' })]), new Map());
    expect(counted.grid?.state).toBe('unmeasured');
    expect(powerTrouble(counted, timeOf)?.what).toBe('Grid power has no power sensor.');
  });

  it('leaves out what the home does not have', () => {
    const plain = powerNow(describeHome([entity('net', 'grid_power')]), latest({ net: 800 }));
    expect(plain.solar).toBeNull();
    expect(existingLinks(plain)).toEqual(['grid_to_home']);
    expect(powerTrouble(plain, timeOf)).toBeNull();
  });

  it('ignores Entities that left the catalog', () => {
    expect(describeHome([entity('old', 'solar_power', { until_us: 5 })]).solar.present).toBe(false);
  });
});

describe('devices', () => {
  const values = latest({ car: 1840, pump: 640, fridge: 84 });
  const use = { state: 'known', kw: 2.85, keys: [] } as const;

  it('are ranked, and Not tracked closes the sum', () => {
    const rows = deviceRows(home, values, rankDevices(home, values), 5, { ...use, keys: [] });
    expect(rows.map(({ id, kw }) => [id, kw])).toEqual([['car', 1.84], ['pump', 0.64], ['fridge', 0.08], ['untracked', 0.29]]);
  });

  it('beyond the shown ones are Others; both stay last', () => {
    const rows = deviceRows(home, values, ['fridge', 'pump', 'car'], 2, { ...use, keys: [] });
    expect(rows.map(({ id, kw }) => [id, kw])).toEqual([['fridge', 0.08], ['others', 2.48], ['untracked', 0.29]]);
  });

  it('never leave less than nothing untracked', () => {
    const rows = deviceRows(home, values, ['car', 'pump', 'fridge'], 5, { state: 'known', kw: 1, keys: [] });
    expect(rows.at(-1)).toEqual({ id: 'untracked', name: null, kw: 0 });
  });

  it('that another device includes are left out', () => {
    const nested = describeHome([
      ...DEVICES,
      entity('plug', 'device_power', { group: 'device:3' }),
      entity('plug_kwh', 'device', { group: 'device:3', parent: 'pump_kwh', kind: 'energy', unit: 'kWh' }),
    ]);
    expect(nested.devices.map(({ key }) => key)).toEqual(['car', 'pump', 'fridge']);
  });
});

describe('powerSentence', () => {
  it.each([
    [{ sun: 0, net: 0, cell: 900 }, 'The battery covers all use.'],
    [{ sun: 1500, net: 500, cell: 0 }, 'Solar covers most of the use, the grid the rest.'],
    [{ sun: 300, net: 200, cell: 900 }, 'The battery covers most of the use, solar and the grid the rest.'],
    [{ sun: 2000, net: -500, cell: 0 }, 'Solar covers all use. The rest goes to the grid.'],
    [{ sun: 2000, net: 0, cell: -700 }, 'Solar covers all use. The rest charges the battery.'],
    [{ sun: 0, net: 3000, cell: -2000 }, 'The grid supplies all use. The grid also charges the battery.'],
    [{ sun: 0, net: -1000, cell: 1800 }, 'The battery covers all use. The battery also feeds the grid.'],
    [{ sun: 0, net: 0, cell: 0 }, 'Nothing is used now.'],
    [{ sun: null, net: 100, cell: 0 }, 'Home use is not known now.'],
  ])('%j: %s', (watts, sentence) => {
    expect(powerSentence(powerNow(home, latest({ ...watts, soc: 50 })))).toBe(sentence);
  });
});
