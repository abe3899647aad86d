import { LitElement, css, html, nothing, type TemplateResult } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import type { Energy } from '../../api/types';
import { figuresOf } from '../../domain/figures';
import type { Formats } from '../../domain/format';
import { t } from '../../i18n';
import { base, card, table } from '../../styles/shared';

@customElement('ed-today-card')
export class EdTodayCard extends LitElement {
  static override styles = [
    base,
    card,
    table,
    css`
      :host {
        display: grid;
      }
      @media (min-width: 1024px) {
        .pairs > * {
          min-height: 36px;
          padding: 8px 0;
        }
      }
    `,
  ];

  @property({ attribute: false }) energy: Energy | null = null;
  @property() failure = '';
  @property({ type: Number }) nowUs = 0;
  @property({ attribute: false }) formats!: Formats;

  override render(): TemplateResult {
    return html`<section class="card" aria-labelledby="title">
      <div class="title">
        <h2 id="title">${t('today.title')}</h2>
        <span class="second">${t('today.until', { time: this.formats.time(this.nowUs) })}</span>
      </div>
      ${this.energy ? this.renderRows(this.energy) : nothing}
      ${this.failure && !this.energy ? html`<p class="second" role="alert">${t('error.partial', { message: this.failure })}</p>` : nothing}
    </section>`;
  }

  private renderRows(energy: Energy): TemplateResult {
    const figures = figuresOf(energy);
    const kwh = (value: number): string => `${this.formats.kwh(value)}\u00a0kWh`;
    const volume = (value: number | null, unit: string | undefined): string => (value === null ? t('row.none') : `${this.formats.number(value, 2)}\u00a0${unit ?? ''}`);
    const rows: [string, string, boolean][] = [
      [t('row.solar'), kwh(figures.solar), energy.has.solar],
      [t('row.battery_discharge'), kwh(figures.battery_discharge), energy.has.battery],
      [t('row.grid_import'), kwh(figures.grid_import), energy.has.grid],
      [t('row.home'), kwh(figures.home), true],
      [t('row.battery_charge'), kwh(figures.battery_charge), energy.has.battery],
      [t('row.grid_export'), kwh(figures.grid_export), energy.has.export],
      [t('row.self_sufficiency'), figures.selfSufficiency === null ? t('row.none') : this.formats.percent(figures.selfSufficiency), energy.has.solar || energy.has.battery],
      [t('row.gas'), volume(figures.gas, energy.gas?.unit), energy.has.gas],
      [t('row.water'), volume(figures.water, energy.water?.unit), energy.has.water],
    ];
    return html`<dl class="pairs">
      ${rows.map(([name, value, shown]) => (shown ? html`<dt>${name}</dt><dd>${figures.known ? value : t('row.none')}</dd>` : nothing))}
    </dl>`;
  }
}
