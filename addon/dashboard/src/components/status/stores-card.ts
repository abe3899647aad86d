/** A store: whether it is well, what it holds, and what to do when it is not; and which storage was chosen, and why. */
import { LitElement, css, html, nothing, type TemplateResult } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import { exportAddress } from '../../api/client';
import type { Status, StoreStatus } from '../../api/types';
import type { Formats } from '../../domain/format';
import { SECOND_US } from '../../domain/time';
import { t } from '../../i18n';
import { base, card, table } from '../../styles/shared';
import { factStyles, pairs } from './facts-styles';

const BACKENDS: Record<string, string | undefined> = { duckdb: 'DuckDB', sqlite: 'SQLite', questdb: 'QuestDB', mongodb: 'MongoDB' };

@customElement('ed-store-card')
export class EdStoreCard extends LitElement {
  static override styles = [
    base,
    card,
    table,
    factStyles,
    css`
      .state {
        display: inline-flex;
        align-items: center;
        gap: 6px;
      }
      .state::before {
        content: '';
        width: 10px;
        height: 10px;
        border-radius: 5px;
        background: var(--good);
      }
      .state.bad::before {
        border-radius: 1px;
        background: var(--error);
        transform: rotate(45deg);
      }
      .export {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        column-gap: 16px;
      }
      .export a {
        line-height: 40px;
      }
    `,
  ];

  @property({ attribute: false }) store!: StoreStatus;
  /** Says why this storage was chosen; null beside another store that says so. */
  @property({ attribute: false }) storage: Status['storage'] | null = null;
  /** The Site that can be exported; none is known before Home Assistant connected for the first time. */
  @property() site: string | null = null;
  @property({ type: Number }) nowUs = 0;
  @property({ attribute: false }) formats!: Formats;

  override render(): TemplateResult {
    const { store, storage } = this;
    const state = store.reachable ? t(store.well ? 'stores.well' : 'stores.unwell') : t('stores.unreachable');
    return html`<section class="card" aria-labelledby="title">
      <div class="title">
        <h2 id="title">${t(`stores.${store.role}`)}</h2>
        <span class="state second ${store.well && store.reachable ? '' : 'bad'}">${BACKENDS[store.backend] ?? store.backend}, ${state}</span>
      </div>
      ${this.renderDetail(store)} ${pairs(this.rows(store))} ${store.doing ? html`<p class="note">${store.doing}</p>` : nothing}
      ${storage ? html`<p class="note">${storage.reason}</p>` : nothing} ${this.renderExport()}
    </section>`;
  }

  private renderDetail({ detail, well, reachable }: StoreStatus): TemplateResult | typeof nothing {
    if (well && reachable) return detail ? html`<p class="note">${detail}</p>` : nothing;
    return html`<p class="unwell" role="alert">${detail ?? ''} ${t('stores.kept')}</p>`;
  }

  private renderExport(): TemplateResult | typeof nothing {
    const { site, store } = this;
    if (site === null || store.role !== 'series' || !store.reachable) return nothing;
    return html`<p class="export">
      <span class="second">${t('stores.export')}</span>
      <a href=${exportAddress(site, 'readings')} download>${t('stores.export.readings')}</a>
      <a href=${exportAddress(site, 'hour')} download>${t('stores.export.hours')}</a>
    </p>`;
  }

  private rows(store: StoreStatus): (readonly [string, string])[] {
    const { formats } = this;
    const rows: (readonly [string, string])[] = [
      [t('stores.version'), store.version],
      [t('stores.rows'), formats.count(store.rows)],
      [t('stores.size'), formats.bytes(store.size_bytes)],
    ];
    if (store.free_bytes !== null) rows.push([t('stores.free'), formats.bytes(store.free_bytes)]);
    rows.push([t('stores.written'), store.last_write_us === null ? t('storage.never') : formats.ago(store.last_write_us, this.nowUs)]);
    if (store.lag_rows !== null) rows.push([t('stores.lagRows'), t('log.rows', { rows: formats.count(store.lag_rows) })]);
    if (store.lag_s !== null) rows.push([t('stores.lagCopies'), formats.duration(store.lag_s * SECOND_US)]);
    return rows;
  }
}
