/** Builders: a test names only what it is about. */
import type { Energy, Entity, Flows, RoleName, SiteStatus } from '../src/api/types';
import { Formats } from '../src/domain/format';
import type { Latest } from '../src/domain/power';

export const BERLIN = new Formats('en-GB', 'Europe/Berlin');
export const AT_NOON_US = Date.UTC(2026, 3, 16, 11, 24, 7) * 1000; // 13:24:07 in Berlin

export function entity(key: string, role: RoleName | null, over: Partial<Entity> & { group?: string; parent?: string; label?: string } = {}): Entity {
  const { group = 'group:0', parent = null, label = null, ...rest } = over;
  return {
    site: 'home',
    key,
    entity_id: `sensor.${key}`,
    name: key,
    area: null,
    device: null,
    kind: 'power',
    unit: 'W',
    state_class: 'measurement',
    since_us: 0,
    until_us: null,
    roles: role ? [{ role, group, name: label, parent }] : [],
    latest: null,
    readings_per_min: 0,
    complete_24h: 1,
    ...rest,
  };
}

export function latest(watts: Record<string, number | null>, tsUs = AT_NOON_US): Map<string, Latest> {
  return new Map(Object.entries(watts).map(([key, value]) => [key, { ts_us: tsUs, value }]));
}

const NO_FLOWS: Flows<number> = {
  solar: 0,
  battery_discharge: 0,
  grid_import: 0,
  home: 0,
  battery_charge: 0,
  grid_export: 0,
  solar_to_home: 0,
  solar_to_battery: 0,
  solar_to_grid: 0,
  battery_to_home: 0,
  battery_to_grid: 0,
  grid_to_home: 0,
  grid_to_battery: 0,
};

export function flows<T>(make: (name: keyof Flows<number>) => T): Flows<T> {
  const names = Object.keys(NO_FLOWS) as (keyof Flows<number>)[];
  return Object.fromEntries(names.map((name) => [name, make(name)])) as unknown as Flows<T>;
}

/** A period by its totals; the columns hold each total in their first interval. */
export function energy(totals: Partial<Flows<number>>, over: Partial<Energy> = {}): Energy {
  const all = { ...NO_FLOWS, ...totals };
  return {
    site: 'home',
    zone: 'Europe/Berlin',
    resolution: 'hour',
    edges_us: [0, 3_600_000_000],
    has: { solar: true, battery: true, grid: true, export: true, gas: false, water: false },
    flows: flows((name) => [all[name]]),
    devices: [],
    untracked: [all.home],
    untracked_provenance: over.provenance ?? ['measured'],
    gas: null,
    water: null,
    integrated: [],
    left_out: [],
    provenance: ['measured'],
    totals: { ...all, untracked: all.home, self_sufficiency: null, self_consumption: null },
    jumps: [],
    ...over,
  };
}

export function device(key: string, total: number | null, parent: string | null = null): Energy['devices'][number] {
  return { key, name: key, parent, values: [total], provenance: [total === null ? 'missing' : 'measured'], total };
}

export function site(over: Partial<Omit<SiteStatus, 'link'>> & { link?: Partial<SiteStatus['link']> } = {}): SiteStatus {
  const { link, ...rest } = over;
  return {
    id: 'home',
    name: 'Home',
    time_zone: 'Europe/Berlin',
    currency: 'EUR',
    ha_version: '2026.10.4',
    integration_version: '0.1.0',
    complete: { statistics_since_us: null, live_since_us: null, share: null },
    gaps: [],
    sync_log: [],
    ...rest,
    link: {
      connected: true,
      since_us: null,
      last_message_us: null,
      last_reading_us: null,
      readings_per_s: 0,
      refused: {},
      skipped: {},
      error: null,
      importing: null,
      ...link,
    },
  };
}
