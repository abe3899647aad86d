/** Storage, connection and versions as pairs of a word and a value. */
import { LitElement, css, html, nothing, type TemplateResult } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import type { SiteStatus, Status } from '../../api/types';
import type { Formats } from '../../domain/format';
import { counterWords } from '../../domain/status-words';
import { t } from '../../i18n';
import { base, card, table } from '../../styles/shared';

const factStyles = css`
  :host {
    display: grid;
  }
  .pairs > * {
    min-height: 28px;
    padding: 4px 0;
  }
  .unwell {
    color: var(--error);
  }
`;

function pairs(rows: readonly (readonly [string, string])[]): TemplateResult {
  return html`<dl class="pairs">${rows.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>`;
}

@customElement('ed-storage-card')
export class EdStorageCard extends LitElement {
  static override styles = [base, card, table, factStyles];

  @property({ attribute: false }) status!: Status;
  @property({ type: Number }) nowUs = 0;
  @property({ attribute: false }) formats!: Formats;

  override render(): TemplateResult {
    const { storage } = this.status;
    const { formats } = this;
    return html`<section class="card" aria-labelledby="title">
      <div class="title"><h2 id="title">${t('storage.title')}</h2><span class="second">${storage.backend}</span></div>
      ${storage.well ? nothing : html`<p class="unwell" role="alert">${t('storage.unwell', { detail: storage.detail ?? '' })}</p>`}
      ${pairs([
        [t('storage.readings'), formats.count(storage.readings)],
        [t('storage.statistics'), formats.count(storage.statistics)],
        [t('storage.size'), formats.bytes(storage.size_bytes)],
        [t('storage.free'), storage.free_bytes === null ? '–' : formats.bytes(storage.free_bytes)],
        [t('storage.written'), storage.last_write_us === null ? t('storage.never') : formats.ago(storage.last_write_us, this.nowUs)],
      ])}
      <p class="note">${storage.reason}</p>
    </section>`;
  }
}

@customElement('ed-connection-card')
export class EdConnectionCard extends LitElement {
  static override styles = [base, card, table, factStyles];

  @property({ attribute: false }) status!: Status;
  @property({ attribute: false }) site: SiteStatus | null = null;
  @property({ type: Boolean }) connected = false;
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
    return [
      [t('link.state'), this.connected && since !== null ? t('link.connected', { time: since }) : off],
      [t('link.last'), this.newestUs === null ? t('entities.never') : formats.ago(this.newestUs, nowUs)],
      [t('link.rate'), t('link.perSecond', { n: formats.number(link.readings_per_s, 1) })],
      [t('link.refused'), counterWords('refused', link.refused, formats)],
      [t('link.skipped'), counterWords('skipped', link.skipped, formats)],
    ];
  }
}
