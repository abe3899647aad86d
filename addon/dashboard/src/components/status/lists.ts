/** Gaps and the sync log: both begin short and open on demand. */
import { LitElement, css, html, nothing, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import type { SyncEntry } from '../../api/types';
import type { Formats } from '../../domain/format';
import { gapWords, gapsCount, type Gap } from '../../domain/status-words';
import { t, tcode } from '../../i18n';
import { base, button, card } from '../../styles/shared';

const SHOWN_GAPS = 2;
const SHOWN_LINES = 6;

abstract class OpeningList extends LitElement {
  @state() protected open = false;

  protected renderMore(count: number, shown: number): TemplateResult | typeof nothing {
    if (count <= shown) return nothing;
    return html`<button class="text-button" aria-expanded=${this.open} @click=${this.toggle}>${this.open ? t('gaps.fewer') : t('gaps.more', { count })}</button>`;
  }

  private toggle(): void {
    this.open = !this.open;
  }
}

@customElement('ed-gaps-card')
export class EdGapsCard extends OpeningList {
  static override styles = [
    base,
    card,
    button,
    css`
      :host {
        display: grid;
      }
      li {
        padding: 8px 0;
        border-top: 1px solid var(--line);
      }
      .head {
        display: flex;
        justify-content: space-between;
        gap: 16px;
        font-weight: 500;
      }
    `,
  ];

  @property({ attribute: false }) gaps: readonly Gap[] = [];
  @property({ attribute: false }) formats!: Formats;

  override render(): TemplateResult {
    const shown = this.open ? this.gaps : this.gaps.slice(0, SHOWN_GAPS);
    return html`<section class="card" aria-labelledby="title">
      <div class="title">
        <h2 id="title">${t('gaps.title')}</h2>
        <span class="second">${this.gaps.length > SHOWN_GAPS ? this.renderMore(this.gaps.length, SHOWN_GAPS) : gapsCount(this.gaps)}</span>
      </div>
      ${this.gaps.length === 0 ? html`<p class="second">${t('gaps.none.what')}</p>` : nothing}
      <ul>
        ${shown.map((gap) => {
          const { day, length, what } = gapWords(gap, this.formats);
          return html`<li>
            <div class="head"><span>${day}</span><span>${length}</span></div>
            <p class="second">${what}</p>
          </li>`;
        })}
      </ul>
    </section>`;
  }
}

@customElement('ed-log-card')
export class EdLogCard extends OpeningList {
  static override styles = [
    base,
    card,
    button,
    css`
      :host {
        display: grid;
      }
      li {
        display: grid;
        grid-template-columns: 116px minmax(0, 1fr);
        gap: 0 12px;
        padding: 4px 0;
      }
      b {
        font-weight: 500;
      }
    `,
  ];

  @property({ attribute: false }) lines: readonly SyncEntry[] = [];
  @property({ type: Number }) nowUs = 0;
  @property({ attribute: false }) formats!: Formats;

  override render(): TemplateResult {
    const shown = this.open ? this.lines : this.lines.slice(0, SHOWN_LINES);
    return html`<section class="card" aria-labelledby="title">
      <div class="title"><h2 id="title">${t('log.title')}</h2>${this.renderMore(this.lines.length, SHOWN_LINES)}</div>
      ${this.lines.length === 0 ? html`<p class="second">${t('log.none')}</p>` : nothing}
      <ul>
        ${shown.map(
          (line) =>
            html`<li><span class="second">${this.formats.moment(line.ts_us, this.nowUs)}</span><span><b>${tcode('log.what', line.what, 'log.what.other')}</b> <span class="second">${this.detailOf(line)}</span></span></li>`,
        )}
      </ul>
    </section>`;
  }

  /** What was done, of which time, how many rows, and how it ended where that is not well. */
  private detailOf({ detail, since_us, until_us, rows, result }: SyncEntry): string {
    const { formats } = this;
    const parts = [detail];
    if (since_us !== null && until_us !== null) parts.push(t('known.span', { from: formats.moment(since_us, this.nowUs), to: formats.moment(until_us, this.nowUs) }));
    if (rows !== null) parts.push(t('log.rows', { rows: formats.count(rows) }));
    if (result !== 'done') parts.push(tcode('log.result', result, 'log.result.other'));
    return parts.filter(Boolean).join(', ');
  }
}
