/** Is it live, and is it all there; opens Status. */
import { LitElement, css, html, nothing, type TemplateResult } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import type { Formats } from '../../domain/format';
import type { Trust } from '../../domain/trust';
import { t } from '../../i18n';
import { base } from '../../styles/shared';

@customElement('ed-trust-chip')
export class EdTrustChip extends LitElement {
  static override styles = [
    base,
    css`
      a {
        display: inline-flex;
        align-items: center;
        gap: 8px;
        height: 32px;
        padding: 0 12px;
        border: 1px solid var(--line);
        border-radius: 16px;
        background: var(--card);
        color: var(--ink);
        text-decoration: none;
        white-space: nowrap;
      }
      a:hover {
        background: var(--track);
      }
      b {
        font-weight: 500;
      }
      .dot {
        flex: none;
        width: 10px;
        height: 10px;
        border-radius: 5px;
        background: var(--good);
      }
      .waiting .dot {
        border: 2px solid var(--warning);
        background: none;
      }
      .waiting b {
        color: var(--warning);
      }
      .off .dot {
        border-radius: 1px;
        background: var(--error);
        transform: rotate(45deg);
      }
      .off b {
        color: var(--error);
      }
      @media (max-width: 599.98px) {
        .wide {
          display: none;
        }
        a {
          position: relative;
        }
        a::after {
          content: '';
          position: absolute;
          inset: -8px 0;
        }
      }
    `,
  ];

  @property({ attribute: false }) trust!: Trust;
  @property({ attribute: false }) formats!: Formats;
  @property({ type: Number }) nowUs = 0;
  @property() href = 'status';

  override render(): TemplateResult {
    const state = this.trust.state;
    const word = this.word();
    return html`<a class=${state} href=${this.href}>
      ${state === 'connecting' ? nothing : html`<i class="dot"></i>`} ${state === 'connecting' ? html`<span class="second">${word}</span>` : html`<b>${word}</b>`}
      ${this.renderDetail()}<span class="spoken">. ${t('trust.open')}</span>
    </a>`;
  }

  private word(): string {
    switch (this.trust.state) {
      case 'live':
      case 'importing':
        return t('trust.live');
      case 'waiting':
        return t('trust.waiting');
      case 'off':
        return t('trust.off');
      case 'connecting':
        return t('trust.connecting');
    }
  }

  private renderDetail(): TemplateResult | typeof nothing {
    const { trust, formats } = this;
    switch (trust.state) {
      case 'importing':
        return html`<span class="second">${t('trust.importing', { percent: formats.percent(trust.share) })}</span>`;
      case 'waiting':
        return trust.sinceUs === null ? nothing : html`<span class="second">${formats.duration(Math.max(0, this.nowUs - trust.sinceUs))}</span>`;
      case 'live': {
        const ago = formats.ago(trust.newestUs, this.nowUs);
        if (trust.complete === null) return html`<span class="second">${ago}</span>`;
        return html`<span class="second"><span class="wide">${ago} · </span>${formats.completeness(trust.complete)}<span class="wide"> ${t('trust.completeWord')}</span></span>`;
      }
      default:
        return nothing;
    }
  }
}
