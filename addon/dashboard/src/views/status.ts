/** Status: one sentence first, then the evidence for it. */
import { mdiHomeImportOutline } from '@mdi/js';
import { LitElement, css, html, nothing, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { believeClock, cancelBackfill, createBackfill, fetchCompleteness, fetchEntityCompleteness, fetchHourCompleteness, fetchSync, isApiFailure } from '../api/client';
import type { SiteStatus, Status, Sync } from '../api/types';
import '../components/message/message';
import type { BackfillEvent, CancelBackfillEvent } from '../components/status/backfill-card';
import '../components/status/backfill-card';
import type { DayEvent } from '../components/status/calendar';
import '../components/status/calendar';
import '../components/status/clock-card';
import '../components/status/day-card';
import '../components/status/entities-card';
import '../components/status/facts';
import '../components/status/hero';
import '../components/status/lists';
import '../components/status/progress-card';
import '../components/status/stores-card';
import { calendarOf, type MonthRow } from '../domain/completeness';
import { dayOf, type DayKnown } from '../domain/day';
import { gapsOf } from '../domain/status-words';
import { addDays, dateOf, firstOfMonth, startOfDay } from '../domain/time';
import { t } from '../i18n';
import { StoreController } from '../state/controller';
import { Loader } from '../state/loader';
import type { Store } from '../state/store';
import { base, card } from '../styles/shared';

const REFRESH_EVERY_MS = 60_000;
const SYNC_EVERY_MS = 10_000;
/** While something is being fetched. */
const SYNC_SOON_EVERY_MS = 2_000;
const NONE: never[] = [];

@customElement('ed-status-view')
export class EdStatusView extends LitElement {
  static override styles = [
    base,
    card,
    css`
      .view {
        display: grid;
        gap: 16px;
      }
      .row {
        display: grid;
        grid-template-columns: 352px minmax(0, 1fr) 400px;
        gap: 16px;
      }
      .facts {
        display: grid;
        grid-template-columns: repeat(auto-fit, minmax(min(100%, 300px), 1fr));
        gap: 16px;
      }
      @media (max-width: 1279.98px) {
        .row {
          grid-template-columns: 1fr 1fr;
        }
      }
      @media (max-width: 599.98px) {
        .view,
        .row,
        .facts {
          grid-template-columns: minmax(0, 1fr);
          gap: 12px;
        }
      }
    `,
  ];

  @property({ attribute: false }) store!: Store;

  private readonly months = new Loader<MonthRow[]>(this);
  private readonly sync = new Loader<Sync>(this);
  private readonly day = new Loader<DayKnown>(this);
  @state() private date: string | null = null;
  @state() private refused = '';
  private loadedAt = 0;
  private syncedAt = 0;

  constructor() {
    super();
    new StoreController(this, () => this.store, ['state', 'clock']);
  }

  override willUpdate(): void {
    const { site } = this.store;
    if (site && this.store.connection === 'open') this.load(site);
  }

  override render(): TemplateResult | typeof nothing {
    const { status, site, formats, nowUs } = this.store;
    if (!status) return nothing;
    return html`<div class="view">
      ${site ? this.renderSite(site) : status.trouble === null ? this.renderNoSite() : nothing} ${this.renderStores(status, site)}
      ${site && this.store.entities
        ? html`<ed-entities-card .entities=${this.store.entities} .values=${this.store.values} .nowUs=${nowUs} .formats=${formats}></ed-entities-card>`
        : nothing}
    </div>`;
  }

  /** The sentence, what goes on, the calendar and what lies behind it. */
  private renderSite(site: SiteStatus): TemplateResult {
    const { formats, nowUs } = this.store;
    const sync = this.sync.data;
    const { siteConnected, lastUs } = this.store;
    const connected = lastUs === null && siteConnected;
    return html`${sync ? this.renderClock(sync) : nothing}
      <ed-status-hero .site=${site} .sync=${sync} ?connected=${connected} .lastUs=${lastUs} .nowUs=${nowUs} .formats=${formats}></ed-status-hero>
      ${sync ? this.renderProgress(sync) : nothing} ${this.renderCalendar()} ${this.renderDay()}
      <div class="row">
        <ed-gaps-card .gaps=${gapsOf(site, sync)} .formats=${formats}></ed-gaps-card>
        <ed-log-card .lines=${sync?.log ?? NONE} .nowUs=${nowUs} .formats=${formats}></ed-log-card>
        ${this.renderBackfill(sync)}
      </div>`;
  }

  private renderClock({ clock }: Sync): TemplateResult | typeof nothing {
    return clock?.refused ? html`<ed-clock-card .clock=${clock} .formats=${this.store.formats} @believe=${this.believe}></ed-clock-card>` : nothing;
  }

  private renderProgress({ progress, importing }: Sync): TemplateResult | typeof nothing {
    return progress || importing ? html`<ed-progress-card .progress=${progress} .importing=${importing} .formats=${this.store.formats}></ed-progress-card>` : nothing;
  }

  private renderBackfill(sync: Sync | null): TemplateResult {
    const { formats, nowUs, entities } = this.store;
    return html`<ed-backfill-card
      .jobs=${sync?.jobs ?? NONE}
      .entities=${(entities ?? []).filter(({ until_us }) => until_us === null)}
      today=${dateOf(nowUs, formats.zone)}
      failure=${this.refused}
      .formats=${formats}
      @backfill=${this.backfill}
      @cancel-backfill=${this.cancelJob}
    ></ed-backfill-card>`;
  }

  private renderStores(status: Status, site: SiteStatus | null): TemplateResult {
    const { formats, nowUs } = this.store;
    return html`<div class="facts">
      ${status.stores.map((store) => html`<ed-store-card .store=${store} .storage=${store.role === 'series' ? status.storage : null} .site=${site?.id ?? null} .nowUs=${nowUs} .formats=${formats}></ed-store-card>`)}
      ${this.renderConnection(status, site)}
    </div>`;
  }

  private load(site: SiteStatus): void {
    const { formats, nowUs } = this.store;
    if (performance.now() - this.loadedAt > REFRESH_EVERY_MS) {
      this.loadedAt = performance.now();
      this.months.expire();
    }
    this.loadSync(site);
    const today = dateOf(nowUs, formats.zone);
    const start = startOfDay(firstOfMonth(today, -11), formats.zone);
    const end = startOfDay(addDays(today, 1), formats.zone);
    this.months.load(`${site.id} ${today}`, async () => {
      const { days } = await fetchCompleteness(site.id, formats.zone, start, end);
      const live = site.complete.live_since_us;
      return calendarOf(days, today, live === null ? null : dateOf(live, formats.zone));
    });
  }

  private loadSync(site: SiteStatus): void {
    const known = this.sync.data;
    const busy = known?.progress != null || known?.importing != null || known?.jobs.some(({ state }) => state === 'running') === true;
    if (performance.now() - this.syncedAt > (busy ? SYNC_SOON_EVERY_MS : SYNC_EVERY_MS)) {
      this.syncedAt = performance.now();
      this.sync.expire();
    }
    this.sync.load(site.id, (signal) => fetchSync(site.id, signal));
    const { date } = this;
    if (date === null) return;
    const { zone } = this.store.formats;
    const [startUs, endUs] = [startOfDay(date, zone), startOfDay(addDays(date, 1), zone)];
    this.day.load(`${site.id} ${date}`, async (signal) => {
      const [hours, entities] = await Promise.all([fetchHourCompleteness(site.id, zone, startUs, endUs, signal), fetchEntityCompleteness(site.id, zone, startUs, endUs, signal)]);
      return dayOf(date, hours, entities, this.store.entities ?? []);
    });
  }

  /** Does what was asked for, and shows what has become of it at once. */
  private async act(change: () => Promise<unknown>): Promise<void> {
    try {
      await change();
      this.refused = '';
    } catch (error) {
      if (!isApiFailure(error)) throw error;
      this.refused = error.message;
    }
    this.sync.expire();
    this.requestUpdate();
  }

  private async backfill({ first, last, keys }: BackfillEvent): Promise<void> {
    const { zone } = this.store.formats;
    const site = this.store.site?.id ?? '';
    await this.act(() => createBackfill({ site, keys, startUs: startOfDay(first, zone), endUs: Math.min(this.store.nowUs, startOfDay(addDays(last, 1), zone)) }));
  }

  private async cancelJob({ id }: CancelBackfillEvent): Promise<void> {
    await this.act(() => cancelBackfill(id));
  }

  private async believe(): Promise<void> {
    await this.act(() => believeClock(this.store.site?.id ?? ''));
  }

  private chooseDay({ date }: DayEvent): void {
    this.date = date;
  }

  private closeDay(): void {
    this.date = null;
  }

  private renderDay(): TemplateResult | typeof nothing {
    const { data } = this.day;
    if (this.date === null || data?.date !== this.date) return nothing;
    return html`<ed-day-card .day=${data} .formats=${this.store.formats} @close=${this.closeDay}></ed-day-card>`;
  }

  private renderCalendar(): TemplateResult | typeof nothing {
    const { data, failure } = this.months;
    if (data) return html`<ed-calendar .months=${data} .formats=${this.store.formats} @day=${this.chooseDay}></ed-calendar>`;
    return failure ? html`<p class="card second" role="alert">${t('error.partial', { message: failure.message })}</p>` : nothing;
  }

  private renderNoSite(): TemplateResult {
    return html`<div class="card"><ed-message .icon=${mdiHomeImportOutline} heading=${t('empty.title')} text=${t('empty.noSite')}></ed-message></div>`;
  }

  private renderConnection(status: Status, site: SiteStatus | null): TemplateResult {
    const { siteConnected, lastUs, newestUs, nowUs, formats } = this.store;
    return html`<ed-connection-card .status=${status} .site=${site} .sync=${this.sync.data} ?connected=${siteConnected} ?answers=${lastUs === null} .newestUs=${newestUs} .nowUs=${nowUs} .formats=${formats}></ed-connection-card>`;
  }
}
