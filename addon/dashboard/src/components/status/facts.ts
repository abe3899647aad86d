/** The connection and the versions as pairs of a word and a value. */
import { LitElement, html, nothing, type TemplateResult } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import type { SiteStatus, Status, Sync } from '../../api/types';
import type { Formats } from '../../domain/format';
import { counterWords } from '../../domain/status-words';
import { t } from '../../i18n';
import { base, card, table } from '../../styles/shared';
import { factStyles, pairs } from './facts-styles';

@customElement('ed-connection-card')
export class EdConnectionCard extends LitElement {
  static override styles = [base, card, table, factStyles];

  @property({ attribute: false }) status!: Status;
  @property({ attribute: false }) site: SiteStatus | null = null;
  @property({ attribute: false }) sync: Sync | null = null;
  @property({ type: Boolean }) connected = false;
  /** Whether the server answers: where it does not, nothing is known of Home Assistant. */
  @property({ type: Boolean }) answers = false;
  @property({ attribute: false }) newestUs: number | null = null;
  @property({ type: Number }) nowUs = 0;
  @property({ attribute: false }) formats!: Formats;

  override render(): TemplateResult {
    const { site, formats, nowUs } = this;
    return html`<section class="card" aria-labelledby="title">
      <div class="title"><h2 id="title">${t('link.title')}</h2></div>
      ${site?.link.error ? html`<p class="unwell" role="alert">${site.link.error.message}</p>` : nothing}
      ${this.status.problems.filter((problem) => problem.recovered_us === null).map((problem) => html`<p class="unwell" role="alert">${t('link.problem', { task: problem.task, message: problem.message })}</p>`)}
      ${site ? pairs(this.linkRows(site)) : nothing}
      <p class="note">
        ${t('versions.server', { version: this.status.version, since: formats.moment(this.status.started_us, nowUs) })}
        ${site ? t('versions.site', { ha: site.ha_version, integration: site.integration_version }) : nothing}
      </p>
    </section>`;
  }

  private linkRows(site: SiteStatus): (readonly [string, string])[] {
    const { formats, nowUs } = this;
    const { link } = site;
    const since = link.since_us === null ? null : formats.moment(link.since_us, nowUs);
    const off = since === null ? t('link.disconnected') : t('link.disconnectedSince', { time: since });
    if (!this.answers) return [[t('link.state'), t('link.unknown')]];
    return [
      [t('link.state'), this.connected && since !== null ? t('link.connected', { time: since }) : off],
      [t('link.last'), this.newestUs === null ? t('entities.never') : formats.ago(this.newestUs, nowUs)],
      [t('link.rate'), t('link.perSecond', { n: formats.number(link.readings_per_s, 1) })],
      ...this.waitingRows(),
      [t('link.refused'), counterWords('refused', link.refused, formats)],
      [t('link.skipped'), counterWords('skipped', link.skipped, formats)],
    ];
  }

  /** What waits in Home Assistant, where it says so. */
  private waitingRows(): (readonly [string, string])[] {
    const { waiting, dropped } = this.sync?.link ?? { waiting: null, dropped: null };
    const rows = [[t('link.waiting'), waiting], [t('link.dropped'), dropped]] as const;
    return rows.flatMap(([name, count]) => (count === null ? [] : [[name, this.formats.count(count)] as const]));
  }
}
