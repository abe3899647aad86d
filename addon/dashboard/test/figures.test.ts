import { describe, expect, it } from 'vitest';
import type { Provenance } from '../src/api/types';
import { keepScale, scaleFor } from '../src/domain/axis';
import { hourTicks } from '../src/domain/step-names';
import { highestOf, joinSteps, stepsOf } from '../src/domain/steps';
import { listEntities } from '../src/domain/entity-list';
import { topLevel } from '../src/domain/devices';
import { fedOf } from '../src/domain/fed';
import { biggestUses, figuresOf, useColumns } from '../src/domain/figures';
import { keyNumbersOf } from '../src/domain/key-numbers';
import { priceUnit } from '../src/domain/price';
import { readStep, stepKnown } from '../src/domain/step-reading';
import { HOUR_US, addDays, startOfDay } from '../src/domain/time';
import { volumeOf } from '../src/domain/volume';
import { BERLIN, device, energy, entity, flows, latest } from './build';

const TOTALS = { solar: 26.34, battery_discharge: 7.14, grid_import: 15.66, home: 32.93, battery_charge: 10.21, grid_export: 6.0, solar_to_home: 10.13, solar_to_battery: 10.21, solar_to_grid: 6, battery_to_home: 7.14, grid_to_home: 15.66 };
const period = energy(TOTALS, { devices: [device('Fridge', 1.2), device('Car', 8.7), device('Heat pump', 10.7), device('Boiler', 4, 'Heat pump')] });

describe('figuresOf', () => {
  const figures = figuresOf(period);

  it('prints parts that add up, on both sides', () => {
    expect(figures.solar + figures.battery_discharge + figures.grid_import).toBeCloseTo(figures.totalFrom, 9);
    expect(figures.home + figures.battery_charge + figures.grid_export).toBeCloseTo(figures.totalTo, 9);
    expect(figures.totalFrom).toBe(figures.totalTo);
    expect(figures.uses.reduce((sum, { kwh }) => sum + kwh, 0)).toBeCloseTo(figures.home, 9);
  });

  it('names the two biggest devices that no other includes', () => {
    expect(biggestUses(period)).toEqual(['Heat pump', 'Car']);
    expect(figures.uses.map(({ id }) => id)).toEqual(['Heat pump', 'Car', 'rest']);
  });

  it('lets each side print its own sum where meters disagree', () => {
    const odd = figuresOf(energy({ solar: 10, home: 8 }));
    expect([odd.totalFrom, odd.totalTo]).toEqual([10, 8]);
  });

  it('knows when nothing is known', () => {
    const totals = { ...flows(() => null), untracked: null, self_sufficiency: null, self_consumption: null };
    expect(figuresOf(energy({}, { totals })).known).toBe(false);
    expect(figures.known).toBe(true);
  });

  it('drops the decimal of large amounts', () => {
    expect(figuresOf(energy({ solar: 4000.4, home: 4000.4 })).solar).toBe(4000);
  });
});

it('useColumns add up to home in every interval, and are unknown with it or with their device', () => {
  const hours = energy({}, { edges_us: [0, 1, 2, 3, 4], flows: flows((name) => (name === 'home' ? [2, null, 1, 3] : [0, 0, 0, 0])), devices: [{ ...device('Car', 3), values: [1.5, 1, 4, null] }] });
  expect(useColumns(hours, ['Car']).map(({ values }) => values)).toEqual([[1.5, null, 1, null], [0.5, null, 0, 3]]);
});

describe('key numbers', () => {
  const numbers = (before: Parameters<typeof energy>[0] | null) =>
    keyNumbersOf(period, figuresOf(period), before && figuresOf(energy(before)), 'Tue 14', BERLIN);

  it('are compared in words', () => {
    expect(numbers({ home: 23.9, solar: 23.9 })[0]).toEqual({ name: 'Home used', value: '32.9', unit: 'kWh', compared: '9.0 kWh more than Tue 14', change: '+9.0 kWh' });
    expect(numbers({ ...TOTALS })[0]?.compared).toBe('the same as Tue 14');
  });

  it('say why there is no comparison, or no number', () => {
    expect(numbers(null)[0]?.compared).toBe('');
    expect(numbers(null)[2]).toMatchObject({ name: 'Self-consumption', value: '–', compared: 'no solar in this period' });
  });
});

describe('a day', () => {
  const zone = 'Europe/Berlin';
  const edgesOf = (date: string): number[] => {
    const edges = [];
    for (let us = startOfDay(date, zone); us <= startOfDay(addDays(date, 1), zone); us += HOUR_US) edges.push(us);
    return edges;
  };
  const edges = edgesOf('2026-04-15');
  const column = (value: number) => Array.from({ length: 24 }, (_, i) => (i < 14 ? value : null));
  const hours = energy({}, {
    edges_us: edges,
    flows: flows((name) => column(name === 'solar' ? 3 : name === 'home' ? 2 : name === 'grid_export' ? 1 : 0)),
    provenance: Array.from({ length: 24 }, (_, i) => (i === 9 ? 'backfilled' : i < 14 ? 'measured' : 'missing')),
  });
  const day = stepsOf(hours, [], 'hour', (edges[13] ?? 0) + HOUR_US / 4);

  it('has as many steps as have happened', () => {
    expect(day.known).toBe(14);
    expect(stepsOf(hours, [], 'hour', (edges[14] ?? 0) + 1).known).toBe(14);
    expect(stepsOf(hours, [], 'hour', edges[24] ?? 0).known).toBe(24);
  });

  it('is as high as its highest side', () => {
    expect(highestOf(day)).toBe(3);
  });

  it('reads a step so that its parts add up', () => {
    const reading = readStep(day, 9, BERLIN);
    expect(reading).toMatchObject({ span: '09:00 to 10:00', known: 'backfilled', unit: 'kWh', totalFrom: 3, totalTo: 3 });
    expect(readStep(day, 20, BERLIN)).toBeNull();
  });

  it('says of gas only what is known otherwise', () => {
    const gas = (kind: Provenance, value: number | null) => [['Gas', { values: hours.provenance.map(() => value), provenance: hours.provenance.map(() => kind) }]] as const;
    expect(stepKnown(day, 8, gas('measured', 1))).toBe('measured');
    expect(stepKnown(day, 9, gas('measured', 1))).toBe('backfilled; Gas: measured');
    expect(stepKnown(day, 8, gas('missing', 1))).toBe('measured; Gas: partly missing');
    expect(stepKnown(day, 8, gas('missing', null))).toBe('measured; Gas: missing');
  });

  it('is mean power in finer steps', () => {
    const fine = stepsOf({ ...hours, edges_us: edges.map((us) => (edges[0] ?? 0) + (us - (edges[0] ?? 0)) / 12) }, [], '5min', Infinity);
    expect(fine.perKwh).toBeCloseTo(12, 9);
  });

  it('joins steps: sums add up, the worst provenance stays', () => {
    const joined = joinSteps(hours, 3);
    expect(joined.flows.solar.slice(0, 6)).toEqual([9, 9, 9, 9, 6, null]);
    expect(joined.provenance.slice(2, 5)).toEqual(['measured', 'backfilled', 'missing']);
    expect(joined.edges_us).toHaveLength(9);
  });

  it('joins steps: what is to come is not missing yet', () => {
    const kinds = (nowUs: number) => joinSteps(hours, 3, nowUs).provenance.slice(3, 6);
    expect(kinds((edges[14] ?? 0) + 1)).toEqual(['backfilled', 'measured', 'missing']);
    expect(kinds((edges[15] ?? 0) + HOUR_US)).toEqual(['backfilled', 'missing', 'missing']);
  });

  it('labels its axis by the local clock, also when that changes', () => {
    expect(hourTicks(edges, 6, BERLIN)).toEqual([{ at: 0, label: '00:00' }, { at: 6, label: '06:00' }, { at: 12, label: '12:00' }, { at: 18, label: '18:00' }, { at: 24, label: '24:00' }]);
    expect(hourTicks(edgesOf('2026-10-25'), 6, BERLIN).map(({ at }) => at)).toEqual([0, 7, 13, 19, 25]);
    expect(hourTicks(edgesOf('2026-03-29'), 6, BERLIN).map(({ at }) => at)).toEqual([0, 5, 11, 17, 23]);
  });
});

it('who fed whom: printed uses add up to the home, the untracked rest last', () => {
  const fed = fedOf(period, figuresOf(period));
  const uses = fed.nodes.filter(({ id }) => id.startsWith('device') || id === 'untracked');
  expect(uses.map(({ name }) => name)).toEqual(['Heat pump', 'Car', 'Fridge', null]);
  expect(uses.reduce((sum, { kwh }) => sum + kwh, 0)).toBeCloseTo(32.9, 9);
  expect(fed.links.filter(({ from }) => from === 'solar').map(({ to }) => to)).toEqual(['home', 'toBattery', 'toGrid']);
});

describe('scales', () => {
  it.each([
    [4.2, 5, 1, 5],
    [3.84, 5, 1, 4],
    [2.0, 2, 1, 2],
    [49, 2, 25, 50],
    [0, 2, 0.05, 0.1],
  ])('for %s in at most %s steps', (highest, steps, step, max) => {
    expect(scaleFor(highest, steps)).toEqual({ step, max });
  });

  it('stay when the next period fits', () => {
    const former = scaleFor(4.2, 2);
    expect(keepScale(former, 3, 2)).toBe(former);
    expect(keepScale(former, 9, 2).max).toBe(10);
    expect(keepScale(former, 0.4, 2).max).toBe(0.4);
  });
});

it('a price is printed in hundredths where they have a name', () => {
  expect([priceUnit('EUR/kWh'), priceUnit('JPY/kWh')]).toEqual([
    { unit: 'ct/kWh', factor: 100, decimals: 1 },
    { unit: 'JPY/kWh', factor: 1, decimals: 3 },
  ]);
});

describe('the list of Entities', () => {
  const list = [entity('sensor_10', null, { name: 'Sensor 10', complete_24h: 0.5 }), entity('sensor_9', null, { name: 'Sensor 9', area: 'Kitchen' }), entity('boiler', null, { name: 'boiler' })];
  const names = (search: string, column: 'name' | 'value' | 'complete', descending = false) =>
    listEntities(list, latest({ sensor_9: 3, sensor_10: 7 }), search, { column, descending }).map(({ name }) => name);

  it('is sorted as a person would', () => {
    expect(names('', 'name')).toEqual(['boiler', 'Sensor 9', 'Sensor 10']);
    expect(names('', 'value', true)).toEqual(['Sensor 10', 'Sensor 9', 'boiler']);
    expect(names('', 'complete')).toEqual(['Sensor 10', 'boiler', 'Sensor 9']);
  });

  it('is searched by every word, in name, id and area', () => {
    expect(names('kit 9', 'name')).toEqual(['Sensor 9']);
    expect(names('sensor.boil', 'name')).toEqual(['boiler']);
    expect(names('nothing', 'name')).toEqual([]);
  });
});

describe('devices', () => {
  const devices = [device('Fridge', 1.249), device('Car', 8.74), device('Heat pump', 10.74), device('Boiler', 4.04, 'Heat pump'), device('Fan', 0.33, 'Heat pump')];
  const of = energy({ ...TOTALS }, { devices });
  const figures = figuresOf(of);
  const { devices: list, untracked } = figures.devices;

  it('are listed biggest first, with what they include, and add up to the home', () => {
    expect(list.map(({ id }) => id)).toEqual(['Heat pump', 'Car', 'Fridge']);
    expect(list.reduce((sum, { kwh }) => sum + kwh, untracked.kwh)).toBeCloseTo(figures.home, 9);
    const [pump] = list;
    expect(pump?.parts.map(({ id }) => id)).toEqual(['Boiler', 'Fan', 'rest']);
    expect(pump?.parts.reduce((sum, { kwh }) => sum + kwh, 0)).toBeCloseTo(pump?.kwh ?? 0, 9);
  });

  it('are printed alike in the totals, the list and the flow chart', () => {
    const printed = new Map(list.map(({ id, kwh }) => [id, kwh]));
    for (const { id, kwh } of figures.uses.slice(0, -1)) expect(kwh).toBe(printed.get(id));
    for (const { id, kwh } of fedOf(of, figures).nodes) if (id.startsWith('device ')) expect(kwh).toBe(printed.get(id.slice('device '.length)));
    expect(fedOf(of, figures).nodes.find(({ id }) => id === 'untracked')?.kwh).toBe(untracked.kwh);
  });

  it('print what their meters say where those know more than the home', () => {
    const odd = figuresOf(energy({ solar: 5, home: 5 }, { devices: [device('Car', 8)] }));
    expect(odd.devices.devices[0]?.kwh).toBe(8);
    expect(odd.devices.untracked.kwh).toBe(0);
  });

  it('say when they are not known while the home is, and which rest has their use then', () => {
    const three = { edges_us: [0, 1, 2, 3], flows: flows(() => [4, 4, null]), provenance: ['measured', 'missing', 'missing'] as Provenance[] };
    const known = (key: string, values: (number | null)[], kinds: Provenance[], parent?: string) => ({ ...device(key, values.reduce((a, b) => (b === null ? a : (a ?? 0) + b), null), parent), values, provenance: kinds });
    const some = figuresOf(energy({ solar: 8, home: 8 }, {
      ...three,
      devices: [
        known('Car', [3, 1, null], ['measured', 'measured', 'missing']),
        known('Fridge', [1, 0.5, null], ['measured', 'missing', 'missing']), // as the home itself
        known('Oven', [null, 0.5, null], ['missing', 'measured', 'missing']),
        known('Pump', [null, null, null], ['missing', 'missing', 'missing']),
        known('Charger', [1, 0, null], ['missing', 'measured', 'missing'], 'Car'),
      ],
    })).devices;
    expect(some.devices.map(({ id, missing }) => [id, missing])).toEqual([['Car', null], ['Fridge', null], ['Oven', 'partly'], ['Pump', 'wholly']]);
    expect(some.untracked.holds).toEqual(['Oven', 'Pump']);
    expect(some.devices[0]?.parts.map(({ id, missing, holds }) => [id, missing, holds])).toEqual([['Charger', 'partly', []], ['rest', null, ['Charger']]]);
    expect(untracked.holds).toEqual([]);
  });

  it('are all listed though they include each other', () => {
    expect(topLevel(energy({ home: 3 }, { devices: [device('A', 1, 'B'), device('B', 2, 'A')] })).map(({ key }) => key)).toEqual(['A', 'B']);
  });
});

describe('gas', () => {
  it('is shown by the hour at the shortest, as known as its own meter knows it', () => {
    const fives = Array.from({ length: 36 }, (_, i) => (i < 16 ? 0.1 : null));
    const kinds = fives.map((_, i): Provenance => (i < 12 ? 'backfilled' : i < 16 ? 'measured' : 'missing'));
    const two = energy({}, {
      resolution: '5min',
      edges_us: Array.from({ length: 37 }, (_, i) => (i * HOUR_US) / 12),
      flows: flows(() => fives.map(() => 1)),
      provenance: fives.map(() => 'measured'),
      gas: { unit: 'm³', values: fives, provenance: kinds, total: 1.6 },
    });
    const volume = volumeOf(two, 'gas', true, 3 * HOUR_US, 0);
    expect(volume?.length).toBe('hour');
    expect(volume?.values[0]).toBeCloseTo(1.2, 9);
    expect(volume?.provenance).toEqual(['backfilled', 'missing', 'missing']);
    expect([0, 1, 2].map((step) => volume?.partly(step))).toEqual([false, true, false]);
    expect(volumeOf(two, 'water', true, 3 * HOUR_US, 0)).toBeNull();
  });
});
