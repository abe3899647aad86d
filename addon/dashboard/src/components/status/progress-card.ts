/** What is being fetched from Home Assistant: how far it is, how fast, and how long it will take. */
import { LitElement, css, html, nothing, type TemplateResult } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import type { Sync } from '../../api/types';
import type { Formats } from '../../domain/format';
import { etaWords, shareOf } from '../../domain/status-words';
import { SECOND_US } from '../../domain/time';
import { t } from '../../i18n';
import { base, card } from '../../styles/shared';
import { trackStyles } from './track-styles';

@customElement('ed-progress-card')
export class EdProgressCard extends LitElement {
  static override styles = [
    base,
    card,
    trackStyles,
    css`
      .facts {
        display: flex;
        flex-wrap: wrap;
        gap: 4px 24px;
        margin-top: 8px;
      }
    `,
  ];

  @property({ attribute: false }) progress: Sync['progress'] = null;
  @property({ attribute: false }) importing: Sync['importing'] = null;
  @property({ attribute: false }) formats!: Formats;

  override render(): TemplateResult | typeof nothing {
    const { progress, importing } = this;
    if (!progress && !importing) return nothing;
    const share = this.share();
    const title = t(progress ? `progress.${progress.kind}` : 'progress.first_install');
    return html`<section class="card" aria-labelledby="title">
      <div class="title"><h2 id="title">${title}</h2><span class="second">${this.formats.percent(share)}</span></div>
      <div class="track" role="progressbar" aria-labelledby="title" aria-valuemin="0" aria-valuemax="100" aria-valuenow=${Math.floor(share * 100)}><i .style=${`width:${share * 100}%`}></i></div>
      <div class="facts second">
        ${progress ? this.facts(progress).map((fact) => html`<span>${fact}</span>`) : nothing} ${importing ? html`<span>${t('progress.statistics', importing)}</span>` : nothing}
      </div>
      <p class="note">${t('progress.what')}</p>
    </section>`;
  }

  private share(): number {
    const { progress, importing } = this;
    if (progress) return shareOf(progress.done_s, progress.total_s);
    return importing ? shareOf(importing.done, importing.total) : 0;
  }

  private facts({ done_s, total_s, rows, rate_per_s, eta_s }: NonNullable<Sync['progress']>): string[] {
    const { formats } = this;
    const length = (seconds: number): string => formats.duration(seconds * SECOND_US);
    return [
      etaWords(eta_s, formats),
      t('progress.of', { done: length(done_s), total: length(total_s) }),
      t('progress.rows', { rows: formats.count(rows), rate: formats.number(rate_per_s, rate_per_s < 10 ? 1 : 0) }),
    ];
  }
}
