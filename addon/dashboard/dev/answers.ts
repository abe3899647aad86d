/** The mock's answers, in the exact shapes of the API. */
import type { Completeness, Energy, Entity, EntityCompleteness, Flows, HourCompleteness, Provenance, Readings, Resolution, RoleAssignment, Statistics, Status, Sync, SyncGap } from '../src/api/types.ts';
import { DAY_US, HOUR_US, MINUTE_US, addDays, dateOf, startOfDay } from '../src/domain/time.ts';
import { DEVICE_NAMES, ZONE, carbonAt, dayOf, flicker, minuteAt, priceAt, type Minute } from './home.ts';

export type Scenario = 'live' | 'night' | 'importing' | 'stale' | 'ha_off' | 'missing' | 'empty' | 'no_site' | 'grid_only' | 'login' | 'down' | 'slow' | 'clock';

const SITE = '1f0e5b7c9a3d4c6e8b2a';
const LIVE_DAYS = 45;
const STATISTICS_DAYS = 420;
const FIVE_US = 5 * MINUTE_US;

export const liveSince = (nowUs: number): number => startOfDay(addDays(dateOf(nowUs, ZONE), -LIVE_DAYS), ZONE) + 9.4 * HOUR_US;
const statisticsSince = (nowUs: number): number => startOfDay(addDays(dateOf(nowUs, ZONE), -STATISTICS_DAYS), ZONE);

interface Sensor {
  key: string;
  name: string;
  kind: Entity['kind'];
  unit: string;
  stateClass: Entity['state_class'];
  roles: RoleAssignment[];
  perMinute: number;
  valueAt: (us: number) => number;
}

const role = (name: RoleAssignment['role'], group: string, label: string | null = null, parent: string | null = null): RoleAssignment => ({ role: name, group, name: label, parent });

const power = (key: string, name: string, roles: RoleAssignment[], kwOf: (minute: Minute) => number): Sensor => ({
  key, name, kind: 'power', unit: 'W', stateClass: 'measurement', roles, perMinute: 20, valueAt: (us) => flicker(kwOf(minuteAt(us)), key, us),
});

const counter = (key: string, name: string, roles: RoleAssignment[], kwOf: (minute: Minute) => number): Sensor => ({
  key, name, kind: 'energy', unit: 'kWh', stateClass: 'total_increasing', roles, perMinute: 1,
  valueAt: (us) => Number((4000 + us / DAY_US + kwOf(minuteAt(us))).toFixed(2)),
});

export function sensors(scenario: Scenario): Sensor[] {
  const list: Sensor[] = [
    power('grid_power', 'Grid power', [role('grid_power', 'grid:0')], (m) => (scenario === 'grid_only' ? m.home : m.grid)),
    counter('grid_import', 'Grid import', [role('grid_import', 'grid:0')], (m) => m.grid),
    ...DEVICE_NAMES.flatMap((name, i) => [
      power(`device_${i}_power`, `${name} power`, [role('device_power', `device:${i}`, name)], (m) => m.devices[name]),
      counter(`device_${i}`, `${name} energy`, [role('device', `device:${i}`, name)], (m) => m.devices[name]),
    ]),
    { key: 'price', name: 'Electricity price', kind: 'price', unit: 'EUR/kWh', stateClass: 'measurement', roles: [role('price_import', 'grid:0')], perMinute: 0.02, valueAt: priceAt },
    { key: 'carbon', name: 'Grid carbon intensity', kind: 'carbon', unit: 'g/kWh', stateClass: 'measurement', roles: [role('carbon', 'carbon:0')], perMinute: 0.1, valueAt: carbonAt },
    { key: 'gas', name: 'Gas meter', kind: 'gas', unit: 'm³', stateClass: 'total_increasing', roles: [role('gas', 'gas:0')], perMinute: 0.2, valueAt: (us) => Number((812 + us / DAY_US / 9).toFixed(3)) },
    { key: 'outdoor', name: 'Outdoor temperature', kind: 'temperature', unit: '°C', stateClass: 'measurement', roles: [], perMinute: 1, valueAt: () => 7.4 },
  ];
  if (scenario === 'grid_only') return list;
  return [
    power('solar_power', 'Roof solar power', [role('solar_power', 'solar:0')], (m) => m.solar),
    counter('solar', 'Roof solar energy', [role('solar', 'solar:0')], (m) => m.solar),
    power('battery_power', 'Battery power', [role('battery_power', 'battery:0')], (m) => m.battery),
    counter('battery_charge', 'Battery charged', [role('battery_charge', 'battery:0')], (m) => m.battery),
    counter('battery_discharge', 'Battery discharged', [role('battery_discharge', 'battery:0')], (m) => m.battery),
    counter('grid_export', 'Grid export', [role('grid_export', 'grid:0')], (m) => m.grid),
    { key: 'charge', name: 'Battery charge', kind: 'battery_level', unit: '%', stateClass: 'measurement', roles: [role('battery_level', 'battery:0')], perMinute: 1, valueAt: (us) => Math.round(minuteAt(us).charge) },
    ...list,
  ];
}

export function valueOf(sensor: Sensor, us: number, scenario: Scenario): number | null {
  if (scenario === 'missing' && sensor.key === 'grid_power') return null;
  return sensor.valueAt(scenario === 'night' ? us + 9 * HOUR_US : us);
}

export function entities(scenario: Scenario, nowUs: number): Entity[] {
  if (scenario === 'empty' || scenario === 'no_site') return [];
  const ageUs = scenario === 'stale' || scenario === 'ha_off' ? 4 * MINUTE_US : 2_000_000;
  return sensors(scenario).map((sensor, i) => ({
    site: SITE,
    key: sensor.key,
    entity_id: `sensor.home_${sensor.key}`,
    name: sensor.name,
    area: sensor.key.startsWith('device') ? 'Kitchen' : null,
    device: sensor.name,
    kind: sensor.kind,
    unit: sensor.unit,
    state_class: sensor.stateClass,
    since_us: liveSince(nowUs),
    until_us: null,
    roles: sensor.roles,
    latest: { ts_us: nowUs - ageUs - (scenario === 'missing' && sensor.key === 'grid_power' ? 26 * MINUTE_US : (i % 7) * 300_000), value: valueOf(sensor, nowUs, scenario) },
    readings_per_min: sensor.perMinute,
    complete_24h: sensor.key === 'gas' ? 0.958333 : 1,
  }));
}

export function status(scenario: Scenario, nowUs: number): Status {
  const gapDay = (days: number): number => startOfDay(addDays(dateOf(nowUs, ZONE), -days), ZONE);
  const list = entities(scenario, nowUs);
  const off = scenario === 'ha_off';
  return {
    version: '0.1.0',
    server_id: '9be0c1',
    now_us: Math.round(nowUs),
    started_us: nowUs - 3.2 * DAY_US,
    trouble: null,
    storage: { choice: 'embedded', setting: 'auto', reason: 'Chosen at the first start: no URLs of databases were given.', backend: 'duckdb', well: true, detail: null, readings: 31_204_118, statistics: 482_004, size_bytes: 143e6, free_bytes: 21.4e9, last_write_us: nowUs - 1e6 },
    stores: [
      { role: 'series', backend: 'duckdb', well: true, reachable: true, version: '2.0.0', rows: 31_686_122, size_bytes: 143e6, free_bytes: 21.4e9, last_write_us: nowUs - 1e6, lag_rows: 0, lag_s: null, detail: null, doing: null },
      { role: 'state', backend: 'sqlite', well: true, reachable: true, version: '3.50.4', rows: 1_204, size_bytes: 1.2e6, free_bytes: 21.4e9, last_write_us: nowUs - 8e6, lag_rows: null, lag_s: null, detail: null, doing: null },
    ],
    problems: [],
    sites: scenario === 'no_site' ? [] : [{
      id: SITE, name: 'Home', time_zone: ZONE, currency: 'EUR', ha_version: '2026.10.4', integration_version: '0.1.0',
      link: {
        connected: !off,
        since_us: off ? nowUs - 4 * MINUTE_US : nowUs - 26 * HOUR_US,
        last_message_us: nowUs - 1e6,
        last_reading_us: list.length > 0 ? Math.max(...list.map((entity) => entity.latest?.ts_us ?? 0)) : null,
        readings_per_s: 6.4, refused: {}, skipped: { not_numeric: 12, too_long: 1 }, error: null,
        importing: scenario === 'importing' ? { done: 17, total: 27 } : null,
      },
      complete: { statistics_since_us: statisticsSince(nowUs), live_since_us: liveSince(nowUs), share: 0.998765 },
      gaps: [
        { since_us: gapDay(11) + 14 * HOUR_US + 2 * MINUTE_US, until_us: gapDay(11) + 15.4 * HOUR_US, entities: 27, reason: 'ha_off' },
        { since_us: gapDay(30) + 2 * HOUR_US + 10 * MINUTE_US, until_us: gapDay(30) + 4 * HOUR_US + 31 * MINUTE_US, entities: 27, reason: 'ha_off' },
      ],
      sync_log: [
        { ts_us: nowUs - 26 * HOUR_US, what: 'connected', detail: 'Home Assistant 2026.10.4' },
        { ts_us: nowUs - 26 * HOUR_US, what: 'disconnected', detail: 'the connection was closed by Home Assistant' },
        { ts_us: liveSince(nowUs) + 7 * MINUTE_US, what: 'imported', detail: '375 days of hourly statistics, 22 entities' },
        { ts_us: liveSince(nowUs), what: 'connected', detail: 'Home Assistant 2026.10.3' },
      ],
    }],
  };
}

export function readings(key: string, startUs: number, endUs: number, scenario: Scenario, nowUs: number): Readings | null {
  const sensor = sensors(scenario).find((candidate) => candidate.key === key);
  if (!sensor) return null;
  const step = Math.max(3e6, 60e6 / sensor.perMinute);
  const until = Math.min(endUs, scenario === 'stale' || scenario === 'ha_off' ? nowUs - 4 * MINUTE_US : nowUs);
  const ts_us: number[] = [];
  for (let ts = Math.ceil(startUs / step) * step; ts < until; ts += step) ts_us.push(Math.round(ts));
  const before = { ts_us: Math.round(startUs - step / 2), value: valueOf(sensor, startUs, scenario) };
  return { key, unit: sensor.unit, start_us: startUs, end_us: endUs, reduced: false, before, ts_us, value: ts_us.map((ts) => valueOf(sensor, ts, scenario)) };
}

/** Hourly means; of these sensors only the counters would have more. */
export function hours(key: string, startUs: number, endUs: number, scenario: Scenario): Statistics | null {
  const sensor = sensors(scenario).find((candidate) => candidate.key === key);
  if (!sensor) return null;
  const start_us: number[] = [];
  for (let us = startUs; us < endUs; us += HOUR_US) start_us.push(us);
  const mean = start_us.map((us) => sensor.valueAt(us));
  const none = start_us.map(() => null);
  const series = { key, unit: sensor.unit, start_us, mean, min: mean, max: mean, change: none, last: none, covered_s: start_us.map(() => 3600), provenance: start_us.map((): Provenance => 'statistics') };
  return { level: 'hour', period_us: HOUR_US, series: [series] };
}

const FLOW_NAMES: (keyof Flows<number>)[] = ['solar', 'battery_discharge', 'grid_import', 'home', 'battery_charge', 'grid_export', 'solar_to_home', 'solar_to_battery', 'solar_to_grid', 'battery_to_home', 'battery_to_grid', 'grid_to_home', 'grid_to_battery'];

function flowsOf(minute: Minute): Flows<number> {
  return {
    ...minute.links,
    solar: minute.solar,
    home: minute.home,
    battery_discharge: Math.max(0, minute.battery),
    battery_charge: Math.max(0, -minute.battery),
    grid_import: Math.max(0, minute.grid),
    grid_export: Math.max(0, -minute.grid),
  };
}

const emptyFlows = <T>(make: () => T): Flows<T> => Object.fromEntries(FLOW_NAMES.map((name) => [name, make()])) as unknown as Flows<T>;

function provenanceOf(us: number, nowUs: number): Provenance {
  if (us >= nowUs || us < statisticsSince(nowUs)) return 'missing';
  if (us < liveSince(nowUs)) return 'statistics';
  const days = Math.round((startOfDay(dateOf(nowUs, ZONE), ZONE) - startOfDay(dateOf(us, ZONE), ZONE)) / DAY_US);
  const hour = Math.floor(((us - startOfDay(dateOf(us, ZONE), ZONE)) / DAY_US) * 24);
  if (days === 1 && (hour === 9 || hour === 10)) return 'backfilled';
  if (days === 11 && hour === 14) return 'interpolated';
  if (days === 12 && hour >= 3 && hour < 6) return 'missing';
  return 'measured';
}

type Sums = Flows<number> & { devices: number[] };
const daySums = new Map<string, Sums>();

const gridOnly = (flows: Flows<number>): Flows<number> => ({
  ...emptyFlows(() => 0), home: flows.home, grid_import: flows.home, grid_to_home: flows.home,
});

function addMinutes(into: Sums, minutes: readonly Minute[], scenario: Scenario): void {
  for (const minute of minutes) {
    const flows = scenario === 'grid_only' ? gridOnly(flowsOf(minute)) : flowsOf(minute);
    for (const name of FLOW_NAMES) into[name] += flows[name] / 60;
    DEVICE_NAMES.forEach((name, i) => {
      into.devices[i] = (into.devices[i] ?? 0) + minute.devices[name] / 60;
    });
  }
}

const noSums = (): Sums => ({ ...emptyFlows(() => 0), devices: DEVICE_NAMES.map(() => 0) });

/** The sums of a span: whole days are computed once. */
function sumsOf(startUs: number, endUs: number, scenario: Scenario): Sums {
  const sums = noSums();
  for (let date = dateOf(startUs, ZONE); startOfDay(date, ZONE) < endUs; date = addDays(date, 1)) {
    const [from, until] = [startOfDay(date, ZONE), startOfDay(addDays(date, 1), ZONE)];
    const place = (us: number): number => Math.round((us - from) / MINUTE_US);
    if (startUs <= from && endUs >= until) {
      const known = daySums.get(`${scenario} ${date}`) ?? noSums();
      if (!daySums.has(`${scenario} ${date}`)) addMinutes(known, dayOf(date), scenario);
      daySums.set(`${scenario} ${date}`, known);
      for (const name of FLOW_NAMES) sums[name] += known[name];
      known.devices.forEach((kwh, i) => { sums.devices[i] = (sums.devices[i] ?? 0) + kwh; });
    } else addMinutes(sums, dayOf(date).slice(place(Math.max(startUs, from)), place(Math.min(endUs, until))), scenario);
  }
  return sums;
}

const BORDERS: Partial<Record<Resolution, (date: string) => boolean>> = {
  day: () => true,
  week: (date) => new Date(`${date}T00:00:00Z`).getUTCDay() === 1,
  month: (date) => date.endsWith('-01'),
  year: (date) => date.endsWith('-01-01'),
};

function edgesOf(startUs: number, endUs: number, resolution: Resolution): number[] {
  const edges = [startUs];
  const isBorder = BORDERS[resolution];
  if (isBorder) {
    for (let date = addDays(dateOf(startUs, ZONE), 1); startOfDay(date, ZONE) < endUs; date = addDays(date, 1)) if (isBorder(date)) edges.push(startOfDay(date, ZONE));
  } else if (resolution !== 'total') {
    const step = resolution === '5min' ? FIVE_US : HOUR_US;
    for (let us = startUs + step; us < endUs; us += step) edges.push(us);
  }
  return [...edges, endUs].map(Math.round);
}

const WORST: readonly Provenance[] = ['measured', 'backfilled', 'interpolated', 'statistics', 'missing'];

/** The worst of a step's hours that have happened and were recorded at all. */
function worstOf(startUs: number, endUs: number, nowUs: number): Provenance {
  let worst = -1;
  for (let us = Math.max(startUs, statisticsSince(nowUs)); us < Math.min(endUs, nowUs); us += HOUR_US) worst = Math.max(worst, WORST.indexOf(provenanceOf(us, nowUs)));
  return WORST[worst] ?? 'missing';
}

/** Yesterday from 8 to 12 nothing came of the first device, nor of the gas meter. */
function isOut(startUs: number, endUs: number, nowUs: number): boolean {
  const day = startOfDay(addDays(dateOf(nowUs, ZONE), -1), ZONE);
  return startUs < day + 12 * HOUR_US && endUs > day + 8 * HOUR_US;
}

export function energy(startUs: number, endUs: number, resolution: Resolution, scenario: Scenario, nowUs: number): Energy {
  const edges_us = edgesOf(startUs, endUs, resolution);
  const count = edges_us.length - 1;
  const columns = emptyFlows<(number | null)[]>(() => Array.from({ length: count }, () => null));
  const devices = DEVICE_NAMES.map((name, i) => ({ key: `device_${i}`, name: name, parent: null, values: Array.from<number | null>({ length: count }).fill(null), provenance: Array.from({ length: count }, (): Provenance => 'missing'), total: null as number | null }));
  const totals = emptyFlows<number | null>(() => null);
  const provenance: Provenance[] = [];
  for (let i = 0; i < count; i++) {
    const from = edges_us[i] ?? 0;
    const until = edges_us[i + 1] ?? 0;
    provenance.push(worstOf(from, until, nowUs));
    const [known, end] = [Math.max(from, statisticsSince(nowUs)), Math.min(until, nowUs)];
    if (known >= end || (provenance[i] === 'missing' && until - from <= HOUR_US)) continue;
    const sums = sumsOf(known, end, scenario);
    for (const name of FLOW_NAMES) {
      columns[name][i] = sums[name];
      totals[name] = (totals[name] ?? 0) + sums[name];
    }
    devices.forEach((device, k) => {
      if (k === 0 && isOut(from, until, nowUs)) {
        if (until - from <= HOUR_US) return;
      } else device.provenance[i] = provenance[i] ?? 'missing';
      device.values[i] = sums.devices[k] ?? 0;
      device.total = (device.total ?? 0) + (sums.devices[k] ?? 0);
    });
  }
  const all = scenario !== 'grid_only';
  const tracked = devices.reduce((sum, device) => sum + (device.total ?? 0), 0);
  const known = totals.home !== null;
  const out = provenance.map((kind, i): Provenance => (isOut(edges_us[i] ?? 0, edges_us[i + 1] ?? 0, nowUs) ? 'missing' : kind));
  const gas = columns.home.map((home, i) => (home === null || (out[i] !== provenance[i] && (edges_us[i + 1] ?? 0) - (edges_us[i] ?? 0) <= HOUR_US) ? null : (0.12 * (Math.min(edges_us[i + 1] ?? 0, nowUs) - (edges_us[i] ?? 0))) / HOUR_US));
  return {
    site: SITE, zone: ZONE, resolution, edges_us,
    has: { solar: all, battery: all, grid: true, export: all, gas: true, water: false },
    flows: columns, devices,
    untracked: columns.home.map((home, i) => (home === null ? null : home - devices.reduce((sum, device) => sum + (device.values[i] ?? 0), 0))),
    untracked_provenance: out,
    gas: { unit: 'm³', values: gas, provenance: out, total: known ? gas.reduce<number>((sum, value) => sum + (value ?? 0), 0) : null },
    water: null,
    integrated: [],
    left_out: [],
    provenance,
    totals: {
      ...totals,
      untracked: known ? (totals.home ?? 0) - tracked : null,
      self_sufficiency: known ? 1 - (totals.grid_to_home ?? 0) / (totals.home ?? 1) : null,
      self_consumption: (totals.solar ?? 0) > 0 ? 1 - (totals.solar_to_grid ?? 0) / (totals.solar ?? 1) : null,
    },
    jumps: [],
  };
}

export function completeness(startUs: number, endUs: number, nowUs: number): Completeness {
  const days: Completeness['days'] = [];
  for (let date = dateOf(startUs, ZONE); date <= dateOf(Math.min(endUs - 1, nowUs), ZONE); date = addDays(date, 1)) {
    const start = startOfDay(date, ZONE);
    const length_s = (Math.min(startOfDay(addDays(date, 1), ZONE), nowUs) - start) / 1e6;
    const ago = Math.round((startOfDay(dateOf(nowUs, ZONE), ZONE) - start) / DAY_US);
    const missing_s = ago === 11 ? 4920 : ago === 30 ? 8460 : ago > STATISTICS_DAYS ? length_s : 0;
    const live = start >= liveSince(nowUs) - DAY_US;
    const backfilled_s = live && (ago === 1 || ago > LIVE_DAYS - 10) ? 7200 : 0;
    const rest = Math.max(0, length_s - missing_s - backfilled_s);
    days.push({ date, length_s, live_s: live ? rest : 0, backfilled_s, statistics_s: live ? 0 : rest, missing_s, ha_off_s: live ? missing_s : 0 });
  }
  return { site: SITE, zone: ZONE, days };
}

/** How the record is kept complete; `importing` plays the first installation. */
export function sync(scenario: Scenario, nowUs: number): Sync {
  const gapDay = (days: number): number => startOfDay(addDays(dateOf(nowUs, ZONE), -days), ZONE);
  const keys = entities(scenario, nowUs).map(({ key }) => key);
  const lost = { entities: 27, keys, cause: 'ha_off' as const, state: 'lost' as const };
  const line = { since_us: null, until_us: null, rows: null, source: null, result: 'done' };
  const first = scenario === 'importing';
  const list: SyncGap[] = [
    { ...lost, since_us: gapDay(11) + 14 * HOUR_US + 2 * MINUTE_US, until_us: gapDay(11) + 15.4 * HOUR_US },
    { ...lost, since_us: gapDay(30) + 2 * HOUR_US + 10 * MINUTE_US, until_us: gapDay(30) + 4 * HOUR_US + 31 * MINUTE_US },
  ];
  if (first) list.unshift({ since_us: gapDay(0) + 8 * HOUR_US, until_us: gapDay(0) + 9 * HOUR_US, entities: 27, keys, cause: 'server_stopped', state: 'open' });
  return {
    site: SITE,
    now_us: Math.round(nowUs),
    link: { connected: true, since_us: nowUs - 26 * HOUR_US, last_message_us: nowUs - 1e6, last_reading_us: nowUs - 1e6, readings_per_s: 6.4, waiting: 0, dropped: 0, error: null },
    clock: { home_assistant_us: nowUs - (scenario === 'clock' ? 300 * DAY_US : 0), server_us: nowUs, live_end_us: nowUs - 1e6, refused: scenario === 'clock' },
    recorder: { state: 'ready', oldest_us: gapDay(10), detail: null },
    gaps: { open: first ? 1 : 0, entities: first ? 27 : 0, oldest_us: first ? gapDay(0) : null, seconds: first ? 3600 : 0, list },
    progress: first ? { kind: 'first_install', since_us: nowUs - 40e6, done_s: 27 * 4.1 * 86_400, total_s: 27 * 10 * 86_400, rows: 184_220, rate_per_s: 4_612, eta_s: 58 } : null,
    importing: first ? { done: 17, total: 27 } : null,
    jobs: [
      { id: 'b2', site: SITE, keys, start_us: gapDay(3), end_us: gapDay(1), state: 'running', created_us: nowUs - 9e6, finished_us: null, settled_s: 1_300_000, total_s: 27 * 2 * 86_400, rows: 31_004 },
      { id: 'b1', site: SITE, keys: keys.slice(0, 1), start_us: gapDay(9), end_us: gapDay(8), state: 'done', created_us: nowUs - DAY_US, finished_us: nowUs - DAY_US, settled_s: 86_400, total_s: 86_400, rows: 812 },
    ],
    audits: { day_us: nowUs - 0.4 * HOUR_US, all_us: nowUs - 5 * DAY_US },
    log: [
      { ...line, ts_us: nowUs - 0.4 * HOUR_US, what: 'audit', detail: '27 entities, 24 hours: no difference' },
      { ...line, ts_us: nowUs - 26 * HOUR_US, what: 'reconciled', detail: 'nothing is lacking any more', since_us: nowUs - 26.6 * HOUR_US, until_us: nowUs - 26 * HOUR_US, rows: 6204 },
      { ...line, ts_us: nowUs - 26 * HOUR_US, what: 'connected', detail: 'Home Assistant 2026.10.4' },
      { ...line, ts_us: nowUs - 27 * HOUR_US, what: 'disconnected', detail: 'the connection was closed by Home Assistant' },
      { ...line, ts_us: liveSince(nowUs) + 7 * MINUTE_US, what: 'imported', detail: '375 days of hourly statistics, 22 entities' },
      { ...line, ts_us: liveSince(nowUs), what: 'connected', detail: 'Home Assistant 2026.10.3' },
    ],
  };
}

export function entityCompleteness(startUs: number, endUs: number, scenario: Scenario, nowUs: number): EntityCompleteness {
  const [day] = completeness(startUs, endUs, nowUs).days;
  const none = { length_s: 0, live_s: 0, backfilled_s: 0, statistics_s: 0, missing_s: 0, ha_off_s: 0 };
  return { site: SITE, zone: ZONE, entities: entities(scenario, nowUs).map(({ key }) => ({ key, ...none, ...day })) };
}

export function hourCompleteness(startUs: number, endUs: number, nowUs: number): HourCompleteness {
  const hours: HourCompleteness['hours'] = [];
  let missing_s = completeness(startUs, endUs, nowUs).days[0]?.missing_s ?? 0;
  for (let us = startUs; us < endUs; us += HOUR_US) {
    const length_s = Math.max(0, Math.min(us + HOUR_US, nowUs) - us) / 1e6;
    const gone = us - startUs >= 14 * HOUR_US ? Math.min(length_s, missing_s) : 0;
    missing_s -= gone;
    hours.push({ start_us: us, length_s, live_s: us >= liveSince(nowUs) ? length_s - gone : 0, backfilled_s: 0, statistics_s: us < liveSince(nowUs) ? length_s - gone : 0, missing_s: gone, ha_off_s: us >= liveSince(nowUs) ? gone : 0 });
  }
  return { site: SITE, zone: ZONE, hours };
}

export const SITE_ID = SITE;
export { dayOf };
