/** Status: one sentence first, then the evidence for it. */
import { mdiHomeImportOutline } from '@mdi/js';
import { LitElement, css, html, nothing, type TemplateResult } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import { fetchCompleteness } from '../api/client';
import type { SiteStatus, Status } from '../api/types';
import '../components/message/message';
import '../components/status/calendar';
import '../components/status/entities-card';
import '../components/status/facts';
import '../components/status/hero';
import '../components/status/lists';
import { calendarOf, type MonthRow } from '../domain/completeness';
import { addDays, dateOf, firstOfMonth, startOfDay } from '../domain/time';
import { t } from '../i18n';
import { StoreController } from '../state/controller';
import { Loader } from '../state/loader';
import type { Store } from '../state/store';
import { base, card } from '../styles/shared';

const REFRESH_EVERY_MS = 60_000;

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
        grid-template-columns: 352px minmax(0, 1fr) 280px 300px;
        gap: 16px;
      }
      @media (max-width: 1279.98px) {
        .row {
          grid-template-columns: 1fr 1fr;
        }
      }
      @media (max-width: 599.98px) {
        .view,
        .row {
          grid-template-columns: minmax(0, 1fr);
          gap: 12px;
        }
      }
    `,
  ];

  @property({ attribute: false }) store!: Store;

  private readonly months = new Loader<MonthRow[]>(this);
  private loadedAt = 0;

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
      ${site ? html`<ed-status-hero .site=${site} ?connected=${this.store.connection !== 'down' && this.store.siteConnected} .nowUs=${nowUs} .formats=${formats}></ed-status-hero>` : this.renderNoSite()}
      ${this.renderCalendar()}
      <div class="row">
        ${site
          ? html`<ed-gaps-card .gaps=${site.gaps} .formats=${formats}></ed-gaps-card>
              <ed-log-card .lines=${site.sync_log} .nowUs=${nowUs} .formats=${formats}></ed-log-card>`
          : nothing}
        <ed-storage-card .status=${status} .nowUs=${nowUs} .formats=${formats}></ed-storage-card>
        ${this.renderConnection(status, site)}
      </div>
      ${site && this.store.entities
        ? html`<ed-entities-card .entities=${this.store.entities} .values=${this.store.values} .nowUs=${nowUs} .formats=${formats}></ed-entities-card>`
        : nothing}
    </div>`;
  }

  private load(site: SiteStatus): void {
    const { formats, nowUs } = this.store;
    if (performance.now() - this.loadedAt > REFRESH_EVERY_MS) {
      this.loadedAt = performance.now();
      this.months.expire();
    }
    const today = dateOf(nowUs, formats.zone);
    const start = startOfDay(firstOfMonth(today, -11), formats.zone);
    const end = startOfDay(addDays(today, 1), formats.zone);
    this.months.load(`${site.id} ${today}`, async () => {
      const { days } = await fetchCompleteness(site.id, formats.zone, start, end);
      const live = site.complete.live_since_us;
      return calendarOf(days, today, live === null ? null : dateOf(live, formats.zone));
    });
  }

  private renderCalendar(): TemplateResult | typeof nothing {
    const { data, failure } = this.months;
    if (data) return html`<ed-calendar .months=${data} .formats=${this.store.formats}></ed-calendar>`;
    return failure ? html`<p class="card second" role="alert">${t('error.partial', { message: failure.message })}</p>` : nothing;
  }

  private renderNoSite(): TemplateResult {
    return html`<div class="card"><ed-message .icon=${mdiHomeImportOutline} heading=${t('empty.title')} text=${t('empty.noSite')}></ed-message></div>`;
  }

  private renderConnection(status: Status, site: SiteStatus | null): TemplateResult {
    const { siteConnected, newestUs, nowUs, formats } = this.store;
    return html`<ed-connection-card .status=${status} .site=${site} ?connected=${siteConnected} .newestUs=${newestUs} .nowUs=${nowUs} .formats=${formats}></ed-connection-card>`;
  }
}
