/**
 * The one store: connection, status, Entities and latest values. Fed by the API and the live WebSocket; read by views only.
 * Failures of the server become state (`connection`, `failure`, `needsToken`); anything else rejects `run()`.
 */
import { AnswerError, UnauthorizedError, UnreachableError, fetchEntities, fetchStatus } from '../api/client';
import { openLive, type LiveMessage, type LiveRow } from '../api/live';
import type { Entity, SiteStatus, Status } from '../api/types';
import { Formats, localeOf } from '../domain/format';
import { describeHome, type Home } from '../domain/home';
import type { LatestValues } from '../domain/power';
import { trustOf, type Connection, type Trust } from '../domain/trust';
import { backoffMs } from './backoff';
import { PacedValues } from './paced';
import { Topics } from './topics';

export interface Failure {
  code: string;
  message: string;
}

interface Payloads {
  /** Connection, status, Entities, session: anything but values. */
  state: undefined;
  /** Shown values changed; at most once per frame. */
  values: undefined;
  /** Raw readings as they come. */
  readings: LiveRow[];
  /** Statistics of a span are new. */
  statistics: { start_us: number; end_us: number };
  /** Every second. */
  clock: undefined;
}

const STATUS_EVERY_S = 10;
const ENTITIES_EVERY_S = 60;

export class Store {
  readonly topics = new Topics<Payloads>();
  connection: Connection = 'connecting';
  needsToken = false;
  failure: Failure | null = null;
  /** When the next attempt to connect is made, in `performance.now()` time. */
  retryAtMs: number | null = null;
  status: Status | null = null;
  entities: Entity[] | null = null;
  home: Home | null = null;
  newestUs: number | null = null;
  formats = new Formats(localeOf(navigator.languages), Intl.DateTimeFormat().resolvedOptions().timeZone);

  private readonly paced: PacedValues;
  private readonly connected = new Map<string, boolean>();
  private frame = 0;
  private attempt = 0;
  private wake: (() => void) | null = null;
  private clockOffsetUs = 0;
  private seconds = 0;

  /** `siteAsked`: the Site to show; null, or one that is unknown, for the first. */
  constructor(private readonly siteAsked: string | null = null) {
    const clock = { now: () => performance.now(), after: (ms: number, run: () => void) => void setTimeout(run, ms) };
    this.paced = new PacedValues(clock, () => {
      this.frameSoon();
    });
  }

  get values(): LatestValues {
    return this.paced.shown;
  }

  get site(): SiteStatus | null {
    const sites = this.status?.sites ?? [];
    return sites.find(({ id }) => id === this.siteAsked) ?? sites[0] ?? null;
  }

  get siteConnected(): boolean {
    const site = this.site;
    return site !== null && (this.connected.get(site.id) ?? site.link.connected);
  }

  /** Up to when things are known, where the server does not answer now. */
  get lastUs(): number | null {
    return this.connection === 'down' && this.status ? Math.max(this.status.now_us, this.newestUs ?? 0) : null;
  }

  get trust(): Trust {
    return trustOf({ connection: this.connection, site: this.site, siteConnected: this.siteConnected, newestUs: this.newestUs, nowUs: this.nowUs });
  }

  /** The server's clock, microseconds. */
  get nowUs(): number {
    return Date.now() * 1000 + this.clockOffsetUs;
  }

  /** Connects, and connects again for ever. */
  async run(): Promise<never> {
    setInterval(() => {
      this.second();
    }, 1000);
    for (;;) {
      const failure = await this.connectOnce();
      if (failure instanceof UnauthorizedError) {
        this.needsToken = true;
        this.retryAtMs = null;
        this.changed();
        await this.sleep(null);
        continue;
      }
      const wait = backoffMs(this.attempt++, Math.random());
      this.connection = failure ? 'down' : 'connecting';
      this.failure = failure ? { code: failure.code, message: failure.message } : null;
      this.retryAtMs = performance.now() + wait;
      this.changed();
      await this.sleep(wait);
    }
  }

  /** Tries to connect now, on a button or after signing in. */
  retryNow(): void {
    this.needsToken = false;
    this.attempt = 0;
    this.wake?.();
  }

  async refreshEntities(): Promise<void> {
    this.takeEntities(await fetchEntities());
    this.changed();
  }

  async refreshStatus(): Promise<void> {
    this.takeStatus(await fetchStatus());
    this.changed();
  }

  /** Loads and listens until the connection ends. Returns why it could not be made, or null when it was and ended. */
  private async connectOnce(): Promise<UnauthorizedError | UnreachableError | AnswerError | null> {
    try {
      const status = async (): Promise<void> => {
        this.takeStatus(await fetchStatus());
        this.changed(); // a view that needs no more than the Site may begin
      };
      const [entities] = await Promise.all([fetchEntities(), status()]);
      this.takeEntities(entities);
      this.changed();
      await this.listen();
      return null;
    } catch (error) {
      if (error instanceof UnauthorizedError || error instanceof UnreachableError || error instanceof AnswerError) return error;
      throw error;
    }
  }

  private listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      openLive(this.site?.id ?? null, {
        onMessage: (message) => {
          this.take(message);
        },
        onClose: (opened) => {
          if (opened) resolve();
          else reject(new UnreachableError('The live connection could not be opened.'));
        },
      });
    });
  }

  private take(message: LiveMessage): void {
    switch (message.type) {
      case 'snapshot':
        this.clockOffsetUs = message.now_us - Date.now() * 1000;
        this.attempt = 0;
        this.connection = 'open';
        this.failure = null;
        this.retryAtMs = null;
        for (const [site, connected] of Object.entries(message.connected)) this.connected.set(site, connected);
        this.takeRows(message.rows);
        this.changed();
        break;
      case 'readings':
        this.takeRows(message.rows);
        break;
      case 'link':
        this.connected.set(message.site, message.connected);
        this.changed();
        this.background(this.refreshStatus());
        break;
      case 'catalog':
        this.background(Promise.all([this.refreshEntities(), this.refreshStatus()]));
        break;
      case 'statistics':
        this.topics.publish('statistics', message);
        break;
    }
  }

  private takeRows(rows: LiveRow[]): void {
    const wasStale = this.trust.state;
    for (const [key, ts_us, value] of rows) {
      this.paced.set(key, { ts_us, value });
      if (this.newestUs === null || ts_us > this.newestUs) this.newestUs = ts_us;
    }
    this.topics.publish('readings', rows);
    if (this.trust.state !== wasStale) this.changed();
  }

  private takeStatus(answer: Status): void {
    const status = answer.trouble !== null && this.status ? { ...answer, sites: this.status.sites } : answer; // what was known stays
    this.status = status;
    this.clockOffsetUs = status.now_us - Date.now() * 1000;
    const site = this.site;
    for (const { id, link } of status.sites) this.connected.set(id, link.connected);
    if (site?.link.last_reading_us != null) this.newestUs = Math.max(this.newestUs ?? 0, site.link.last_reading_us);
    if (site && site.time_zone !== this.formats.zone) this.formats = new Formats(this.formats.locale, site.time_zone);
  }

  private takeEntities(entities: Entity[]): void {
    const site = this.site?.id;
    this.entities = entities.filter((entity) => site === undefined || entity.site === site);
    for (const entity of this.entities) if (entity.latest) this.paced.seed(entity.key, entity.latest);
    this.home = describeHome(this.entities);
    this.frameSoon();
  }

  private second(): void {
    this.seconds += 1;
    this.topics.publish('clock', undefined);
    if (this.connection !== 'open' || document.hidden) return;
    if (this.seconds % STATUS_EVERY_S === 0) this.background(this.refreshStatus());
    if (this.seconds % ENTITIES_EVERY_S === 0) this.background(this.refreshEntities());
  }

  /** A refresh that fails is left to the live connection's own end, which says why; only a lost session acts at once. */
  private background(refresh: Promise<unknown>): void {
    refresh.catch((error: unknown) => {
      if (error instanceof UnauthorizedError) {
        this.needsToken = true;
        this.changed();
      } else if (!(error instanceof UnreachableError || error instanceof AnswerError)) throw error;
    });
  }

  private sleep(ms: number | null): Promise<void> {
    return new Promise((resolve) => {
      const timer = ms === null ? undefined : setTimeout(resolve, ms);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  private changed(): void {
    this.topics.publish('state', undefined);
  }

  private frameSoon(): void {
    if (this.frame !== 0) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.topics.publish('values', undefined);
    });
  }
}
