import { LitElement, css, html, nothing, type TemplateResult } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import type { Formats } from '../../domain/format';
import type { Samples } from '../../domain/minutes';
import { t } from '../../i18n';
import { base, card } from '../../styles/shared';

@customElement('ed-carbon-card')
export class EdCarbonCard extends LitElement {
  static override styles = [
    base,
    card,
    css`
      :host {
        display: grid;
      }
      @media (max-width: 599.98px) {
        .title {
          margin-bottom: 0;
        }
        .title h2 {
          font: 400 12px/16px Roboto, sans-serif;
          color: var(--ink-2);
        }
        .below {
          font: 400 12px/16px Roboto, sans-serif;
        }
        .wide {
          display: none;
        }
      }
    `,
  ];

  /** g/kWh of the grid. */
  @property({ attribute: false }) value: number | null = null;
  /** The grid's share of the home's use now, 0 to 1; null where it is not known. */
  @property({ attribute: false }) gridShare: number | null = null;
  @property({ attribute: false }) samples: Samples | null = null;
  @property({ attribute: false }) formats!: Formats;

  override render(): TemplateResult {
    const print = (value: number): string => this.formats.number(value, 0);
    const today = (this.samples?.value ?? []).filter((value) => value !== null);
    const low = print(Math.min(...today));
    const high = print(Math.max(...today));
    return html`<section class="card" aria-labelledby="title">
      <div class="title"><h2 id="title">${t('carbon.title')}</h2></div>
      <div class="key-number">
        ${this.value === null ? t('flow.noValue') : html`${print(this.value)} <span class="unit">g/kWh<span class="wide"> ${t('carbon.fromGrid')}</span></span>`}
      </div>
      <div class="second below">
        ${today.length > 0 ? html`<span class="wide">${t('carbon.today', { low, high })} </span>` : nothing}
        ${this.value === null || this.gridShare === null ? nothing : t('carbon.home', { value: print(this.value * this.gridShare) })}
      </div>
    </section>`;
  }
}
