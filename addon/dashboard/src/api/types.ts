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
  /** Null while the store that knows it cannot be opened. */
  server_id: string | null;
  now_us: number;
  started_us: number;
  /** Why the stores cannot be opened, while nothing is known but how each of them is. */
  trouble: string | null;
  storage: {
    /** Which pair of stores is used, what the setting says, and why. */
    choice: 'embedded' | 'questdb';
    setting: 'auto' | 'embedded' | 'questdb';
    reason: string;
    backend: string;
    well: boolean;
    detail: string | null;
    readings: number;
    statistics: number;
    size_bytes: number;
    free_bytes: number | null;
    last_write_us: number | null;
  };
  /** The store of readings and statistics, and the store of everything else. */
  stores: StoreStatus[];
  /** Background tasks that failed and were started again; recovered_us: since when one runs well again. */
  problems: { task: string; message: string; at_us: number; times: number; recovered_us: number | null }[];
  sites: SiteStatus[];
}

export interface StoreStatus {
  role: 'series' | 'state';
  backend: string;
  well: boolean;
  reachable: boolean;
  version: string;
  rows: number;
  size_bytes: number;
  free_bytes: number | null;
  last_write_us: number | null;
  /** Rows that are stored but not visible yet; null where there is no such thing. */
  lag_rows: number | null;
  /** How far the slowest copy is behind; null without copies. */
  lag_s: number | null;
  /** What to do, when it is not well or could be better. */
  detail: string | null;
  /** Upkeep under way. */
  doing: string | null;
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
  /** Coverage over all Entities: since when, and the recorded share, 0 to 1, of the time since live listening began. */
  complete: { statistics_since_us: number | null; live_since_us: number | null; share: number | null };
  gaps: { since_us: number; until_us: number; entities: number; reason: string | null }[];
  sync_log: { ts_us: number; what: string; detail: string }[];
}

/** GET api/completeness?site&zone&start&end[&key (repeatable)]: local days, mean over some or all Entities, seconds; `ha_off_s`: of what is missing, while Home Assistant was off. */
export interface Completeness {
  site: string;
  zone: string;
  days: { date: string; length_s: number; live_s: number; backfilled_s: number; statistics_s: number; missing_s: number; ha_off_s: number }[];
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
  devices: { key: string; name: string; parent: string | null; values: (number | null)[]; provenance: Provenance[]; total: number | null }[];
  /** Home use that no top-level device accounts for; below 0 where devices used more, also where they are known and the home is not. */
  untracked: (number | null)[];
  /** That of the flows and of the top-level devices. */
  untracked_provenance: Provenance[];
  gas: { unit: string; values: (number | null)[]; provenance: Provenance[]; total: number | null } | null;
  water: { unit: string; values: (number | null)[]; provenance: Provenance[]; total: number | null } | null;
  /** Keys whose energy is the integral of a power, because nothing counts it. */
  integrated: string[];
  /** Keys of gas and water meters that count in another unit than the others, and are not in the sum. */
  left_out: string[];
  /** That of the flows. */
  provenance: Provenance[];
  totals: Flows<number | null> & {
    untracked: number | null;
    /** 0 to 1, or null without use (production). */
    self_sufficiency: number | null;
    self_consumption: number | null;
  };
  /** Hours that changed by more than ten times the greatest hour of a usual day, and by more than a home can, newest first. */
  jumps: { key: string; start_us: number; change: number; usual: number }[];
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

/** GET api/sync[?site][&lines]: how the record of a Site is kept complete. */
export interface Sync {
  site: string;
  now_us: number;
  link: {
    connected: boolean;
    since_us: number | null;
    last_message_us: number | null;
    last_reading_us: number | null;
    readings_per_s: number;
    /** Readings in Home Assistant's outbox, and those it dropped since listening began; null where it does not say. */
    waiting: number | null;
    dropped: number | null;
    error: { code: string; message: string } | null;
  };
  /** Home Assistant's clock. While it is `refused`, live readings are; POST api/sync/clock says that it is right. */
  clock: { home_assistant_us: number; server_us: number; live_end_us: number | null; refused: boolean } | null;
  recorder: { state: RecorderState; oldest_us: number | null; detail: string | null } | null;
  /** Since live listening began, newest first; `open`, `entities`, `oldest_us` and `seconds` are about all open ones. */
  gaps: { open: number; entities: number; oldest_us: number | null; seconds: number; list: SyncGap[] };
  /** Fetching readings from the recorder: seconds summed over Entities, null when there is nothing to fetch. */
  progress: {
    kind: 'first_install' | 'backfill';
    since_us: number;
    done_s: number;
    total_s: number;
    rows: number;
    /** Rows per second over the last minute. */
    rate_per_s: number;
    eta_s: number | null;
  } | null;
  /** The first import of hourly statistics: Entities that are done, of all. */
  importing: { done: number; total: number } | null;
  jobs: BackfillJob[];
  /** When the recorder was last compared with what is stored: the last 24 hours, and all of it. */
  audits: { day_us: number | null; all_us: number | null };
  /** Newest first. */
  log: SyncEntry[];
}

export type RecorderState = 'ready' | 'disabled' | 'migrating' | 'not_set_up' | 'lossy' | 'not_answering';

export type GapCause =
  | 'unreachable' // Home Assistant and the server did not reach each other
  | 'home_assistant_stopped' // Home Assistant stopped or restarted
  | 'server_stopped'
  | 'outbox_full' // Home Assistant had to drop what waited
  | 'damaged' // a file of the store, which was set aside
  | 'clock' // a clock was set
  | 'ha_off' // Home Assistant was not running (always `lost`)
  | 'purged' // Home Assistant keeps no states that old (always `lost`)
  | 'not_recorded' // Home Assistant's recorder leaves the Entity out (always `lost`)
  | 'unknown';

export interface SyncGap {
  since_us: number;
  until_us: number;
  entities: number;
  /** Some of the Entities, 50 at most. */
  keys: string[];
  cause: GapCause;
  /** `open`: Home Assistant will send it, or its recorder be asked for it; `lost`: Home Assistant has nothing either. */
  state: 'open' | 'lost';
}

export interface SyncEntry {
  ts_us: number;
  /** connected, disconnected, imported, reconciled, late, changed, backfill, audit, outbox_full, clock, copy, upkeep, damaged. */
  what: string;
  detail: string;
  since_us: number | null;
  until_us: number | null;
  rows: number | null;
  source: string | null;
  /** done, cancelled, partly, failed */
  result: string;
}

/**
 * POST api/backfill { site?, keys?, start, end, zone? } → BackfillJob; the same again while it runs is the same job.
 * GET api/backfill[?site] → { jobs: BackfillJob[] }; GET api/backfill/{id} → BackfillJob; DELETE api/backfill/{id} → it, cancelled.
 */
export interface BackfillJob {
  id: string;
  site: string;
  keys: string[];
  start_us: number;
  end_us: number;
  /** `queued`: Home Assistant is not connected; `partly`: some Entities left meanwhile. */
  state: 'queued' | 'running' | 'done' | 'partly' | 'cancelled';
  created_us: number;
  finished_us: number | null;
  /** Seconds summed over Entities. */
  settled_s: number;
  total_s: number;
  rows: number;
}

/** GET api/completeness/entities?site&zone&start&end: the same seconds for each Entity over the span. */
export interface EntityCompleteness {
  site: string;
  zone: string;
  entities: { key: string; length_s: number; live_s: number; backfilled_s: number; statistics_s: number; missing_s: number; ha_off_s: number }[];
}

/** GET api/completeness/hours?site&zone&start&end[&key (repeatable)]: hours of a span, mean over some or all Entities. */
export interface HourCompleteness {
  site: string;
  zone: string;
  hours: { start_us: number; length_s: number; live_s: number; backfilled_s: number; statistics_s: number; missing_s: number; ha_off_s: number }[];
}
