/** The server's answers, as its OpenAPI document describes them. Instants are epoch microseconds (`_us`). */

export type Kind = 'energy' | 'power' | 'gas' | 'water' | 'price' | 'carbon' | 'battery_level' | 'temperature';

export type RoleName =
  | 'grid_import' | 'grid_export' | 'grid_power' | 'solar' | 'solar_power' | 'battery_discharge' | 'battery_charge'
  | 'battery_power' | 'battery_level' | 'gas' | 'water' | 'device' | 'device_power' | 'water_device' | 'price_import'
  | 'price_export' | 'home_power' | 'carbon';

export type Provenance = 'measured' | 'backfilled' | 'interpolated' | 'statistics' | 'missing';

export interface ErrorBody {
  error: { code: string; message: string; field: string | null };
}

export interface RoleAssignment {
  role: RoleName;
  group: string;
  name: string | null;
  parent: string | null;
}

/** GET api/entities → { entities: Entity[] } */
export interface Entity {
  site: string;
  key: string;
  entity_id: string;
  name: string;
  area: string | null;
  device: string | null;
  kind: Kind;
  unit: string;
  state_class: 'measurement' | 'total' | 'total_increasing' | null;
  since_us: number;
  until_us: number | null;
  roles: RoleAssignment[];
  latest: { ts_us: number; value: number | null } | null;
  /** Readings per minute over the last hour. */
  readings_per_min: number;
  /** Share of the last 24 h (or since listening began) that Coverage knows, 0 to 1. */
  complete_24h: number;
}

/** GET api/status */
export interface Status {
  version: string;
  server_id: string;
  now_us: number;
  started_us: number;
  storage: {
    backend: string;
    reason: string;
    well: boolean;
    detail: string | null;
    readings: number;
    statistics: number;
    size_bytes: number;
    free_bytes: number;
    last_write_us: number | null;
  };
  /** Background tasks that failed and were started again. */
  problems: { task: string; message: string; at_us: number; times: number }[];
  sites: SiteStatus[];
}

export interface SiteStatus {
  id: string;
  name: string;
  time_zone: string;
  currency: string | null;
  ha_version: string;
  integration_version: string;
  link: {
    connected: boolean;
    since_us: number | null;
    last_message_us: number | null;
    last_reading_us: number | null;
    readings_per_s: number;
    /** Rows refused since the server started, by code. */
    refused: Record<string, number>;
    /** States that gave no reading since listening began, by reason. */
    skipped: Record<string, number>;
    error: { code: string; message: string } | null;
    /** The first statistics import: how many Entities are settled, of how many; null when nothing is being imported. */
    importing: { done: number; total: number } | null;
  };
  /** Coverage over all Entities: since when, and the covered share, 0 to 1, of the time since live listening began. */
  complete: { statistics_since_us: number | null; live_since_us: number | null; share: number | null };
  gaps: { since_us: number; until_us: number; entities: number; reason: string | null }[];
  sync_log: { ts_us: number; what: string; detail: string }[];
}

/** GET api/completeness?site&zone&start&end: local days, mean over the Site's Entities, seconds. */
export interface Completeness {
  site: string;
  zone: string;
  days: { date: string; length_s: number; live_s: number; backfilled_s: number; statistics_s: number; missing_s: number }[];
}

/** GET api/readings?key&start&end[&points]: every reading, or buckets that keep the extremes. */
export type Readings = { key: string; unit: string; start_us: number; end_us: number } & (
  | {
      reduced: false;
      /** The reading in force at start, so that a step line can begin at its left edge. */
      before: { ts_us: number; value: number | null } | null;
      ts_us: number[];
      value: (number | null)[];
    }
  | { reduced: true; bucket_us: number; bucket_start_us: number[]; min: number[]; max: number[]; mean: number[]; count: number[] }
);

/** GET api/statistics?key (repeatable)&level=5min|hour&start&end */
export interface Statistics {
  level: '5min' | 'hour';
  period_us: number;
  series: {
    key: string;
    unit: string;
    start_us: number[];
    mean: (number | null)[];
    min: (number | null)[];
    max: (number | null)[];
    change: (number | null)[];
    last: (number | null)[];
    covered_s: number[];
    provenance: Provenance[];
  }[];
}

export type Resolution = '5min' | 'hour' | 'day' | 'week' | 'month' | 'year' | 'total';

/** kWh; null where nothing is known. */
export interface Flows<T> {
  solar: T;
  battery_discharge: T;
  grid_import: T;
  home: T;
  battery_charge: T;
  grid_export: T;
  solar_to_home: T;
  solar_to_battery: T;
  solar_to_grid: T;
  battery_to_home: T;
  battery_to_grid: T;
  grid_to_home: T;
  grid_to_battery: T;
}

/** GET api/energy?start&end&resolution&zone[&site]. `edges_us` has one more element than the columns. */
export interface Energy {
  site: string;
  zone: string;
  resolution: Resolution;
  edges_us: number[];
  /** Which sources the home has; a flow of an absent source is all zero. */
  has: { solar: boolean; battery: boolean; grid: boolean; export: boolean; gas: boolean; water: boolean };
  flows: Flows<(number | null)[]>;
  devices: { key: string; name: string; parent: string | null; values: (number | null)[]; total: number | null }[];
  /** Home use that no top-level device accounts for, never below 0 in total. */
  untracked: (number | null)[];
  gas: { unit: string; values: (number | null)[]; total: number | null } | null;
  water: { unit: string; values: (number | null)[]; total: number | null } | null;
  provenance: Provenance[];
  totals: Flows<number | null> & {
    untracked: number | null;
    /** 0 to 1, or null without use (production). */
    self_sufficiency: number | null;
    self_consumption: number | null;
  };
}

/** Messages of the WebSocket api/live, server to browser. A slow browser gets only the newest reading of each Entity. */
export type LiveMessage =
  | { type: 'snapshot'; now_us: number; rows: LiveRow[]; connected: Record<string, boolean> }
  | { type: 'readings'; rows: LiveRow[] }
  | { type: 'link'; site: string; connected: boolean }
  | { type: 'catalog'; site: string }
  | { type: 'statistics'; site: string; start_us: number; end_us: number };

/** key, ts_us, value (null = unavailable) */
export type LiveRow = [string, number, number | null];
