/** Status in one sentence, and the life of the data as a line: hourly statistics, then every reading, gaps marked. */
import { mdiShieldAlertOutline, mdiShieldCheckOutline } from '@mdi/js';
import { LitElement, css, html, nothing, type TemplateResult } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import type { SiteStatus, Sync } from '../../api/types';
import type { Formats } from '../../domain/format';
import { gapsOf, statusSentence } from '../../domain/status-words';
import { dateOf } from '../../domain/time';
import { t } from '../../i18n';
import { base, card } from '../../styles/shared';
import { icon } from '../icon';

@customElement('ed-status-hero')
export class EdStatusHero extends LitElement {
  static override styles = [
    base,
    card,
    css`
      .card {
        padding: 24px;
      }
      .top {
        display: flex;
        gap: 20px;
      }
      .disc {
        display: grid;
        flex: none;
        place-items: center;
        width: 56px;
        height: 56px;
        border-radius: 50%;
        --c: var(--good);
        background: color-mix(in srgb, var(--c) 20%, var(--card));
        color: var(--c);
      }
      .disc.waiting {
        --c: var(--warning);
      }
      .sentence {
        font: 400 24px/32px Roboto, sans-serif;
      }
      .sentence span {
        display: block;
      }
      .note-line {
        margin-top: 4px;
        color: var(--ink-2);
      }
      .life {
        position: relative;
        display: flex;
        gap: 2px;
        height: 12px;
        margin-top: 16px;
      }
      .statistics {
        border-radius: 3px 0 0 3px;
        background: linear-gradient(var(--primary-text), var(--primary-text)) 0 50% / 100% 1px no-repeat, var(--statistics);
      }
      .live {
        min-width: 3px;
        border-radius: 0 3px 3px 0;
        background: var(--measured);
      }
      .gap {
        position: absolute;
        top: -3px;
        box-sizing: content-box;
        width: 4px;
        height: 16px;
        margin-left: -3px;
        border: 1px solid var(--card);
        background: var(--error);
      }
      .scale {
        display: flex;
        gap: 12px;
        margin-top: 4px;
      }
      .scale > :nth-child(2) {
        flex: 1;
        text-align: center;
      }
      .short {
        display: none;
      }
      @media (max-width: 599.98px) {
        .card {
          padding: 12px 16px;
        }
        .disc,
        .long {
          display: none;
        }
        .short {
          display: inline;
        }
        .sentence {
          font: 400 20px/28px Roboto, sans-serif;
        }
        .sentence span {
          display: inline;
        }
        .life {
          margin-top: 12px;
        }
      }
    `,
  ];

  @property({ attribute: false }) site!: SiteStatus;
  @property({ attribute: false }) sync: Sync | null = null;
  @property({ type: Boolean }) connected = false;
  /** Up to when things are known, where the server does not answer now. */
  @property({ attribute: false }) lastUs: number | null = null;
  @property({ type: Number }) nowUs = 0;
  @property({ attribute: false }) formats!: Formats;

  override render(): TemplateResult {
    const { complete, gaps, note } = statusSentence(this.site, this, this.formats, this.sync);
    return html`<section class="card" aria-label=${t('nav.status')}>
      <div class="top">
        <span class="disc ${this.connected ? '' : 'waiting'}">${icon(this.connected ? mdiShieldCheckOutline : mdiShieldAlertOutline)}</span>
        <div>
          <h2 class="sentence"><span>${complete} </span><span>${gaps}</span></h2>
          <p class="note-line">${note}</p>
        </div>
      </div>
      ${this.renderLife()}
    </section>`;
  }

  private renderLife(): TemplateResult | typeof nothing {
    const { statistics_since_us: statistics, live_since_us: live } = this.site.complete;
    if (live === null) return nothing;
    const first = Math.min(statistics ?? live, live);
    const span = Math.max(1, this.nowUs - first);
    const day = (us: number): string => this.formats.dayBrief(dateOf(us, this.formats.zone));
    const label = t('status.life', { statistics: day(first), live: day(live), gaps: gapsOf(this.site, this.sync).length });
    const shown = gapsOf(this.site, this.sync);
    const hasStatistics = first < live;
    return html`<div class="life" role="img" aria-label=${label}>
        ${hasStatistics ? html`<i class="statistics" .style=${`flex:${live - first}`}></i>` : nothing}
        <i class="live" .style=${`flex:${Math.max(1, this.nowUs - live)}`}></i>
        ${shown.map((gap) => html`<i class="gap" .style=${`left:${((((gap.since_us + gap.until_us) / 2 - first) / span) * 100).toFixed(2)}%`}></i>`)}
      </div>
      <div class="scale note" aria-hidden="true">
        <span>${hasStatistics ? day(first) : nothing}</span>
        <span>${hasStatistics ? html`<span class="long">${t('status.lifeStatistics')}</span><span class="short">${t('status.lifeStatisticsShort')}</span>` : nothing}</span>
        <span class="long">${t('status.lifeLive', { day: day(live) })}</span><span class="short">${t('status.lifeLiveShort', { day: day(live) })}</span>
      </div>`;
  }
}
