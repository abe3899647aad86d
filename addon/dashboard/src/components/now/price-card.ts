import { LitElement, css, html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import '../../charts/canvas';
import type { DrawChart } from '../../charts/canvas';
import { drawPriceChart, type PriceModel } from '../../charts/price';
import type { Formats } from '../../domain/format';
import type { Samples } from '../../domain/minutes';
import { priceUnit, type PriceUnit } from '../../domain/price';
import { HOUR_US } from '../../domain/time';
import { t } from '../../i18n';
import { base, card } from '../../styles/shared';

const TICK_HOURS = [0, 6, 12, 18];

@customElement('ed-price-card')
export class EdPriceCard extends LitElement {
  static override styles = [
    base,
    card,
    css`
      :host {
        display: grid;
      }
      .chart {
        height: 128px;
        margin-top: 8px;
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
        .chart {
          display: none;
        }
      }
    `,
  ];

  @property({ attribute: false }) value: number | null = null;
  @property() unit = '';
  /** Readings of today, the one in force at its start included. */
  @property({ attribute: false }) samples: Samples | null = null;
  @property({ type: Number }) startUs = 0;
  @property({ type: Number }) endUs = 0;
  @property({ type: Number }) nowUs = 0;
  @property({ attribute: false }) formats!: Formats;
  @state() private drawing: DrawChart | null = null;
  private model: PriceModel | null = null;

  override willUpdate(changed: PropertyValues<this>): void {
    if (['nowUs', 'samples', 'value', 'formats'].some((name) => changed.has(name as keyof EdPriceCard))) this.draw();
  }

  override render(): TemplateResult {
    const unit = priceUnit(this.unit);
    const now = this.value === null ? t('flow.noValue') : this.print(this.value, unit);
    return html`<section class="card" aria-labelledby="title">
      <div class="title"><h2 id="title">${t('price.title')}</h2></div>
      <div class="key-number">${now}${this.value === null ? nothing : html` <span class="unit">${unit.unit}</span>`}</div>
      <div class="second below">${this.sentence(unit)}</div>
      ${this.drawing ? html`<div class="chart" role="img" aria-label=${this.summary(unit, now)}><ed-canvas .draw=${this.drawing}></ed-canvas></div>` : nothing}
    </section>`;
  }

  private print(value: number, unit: PriceUnit): string {
    return this.formats.number(value * unit.factor, unit.decimals);
  }

  private bounds(): [number, number] | null {
    const values = this.model?.steps.map((step) => step.value) ?? [];
    return values.length > 0 ? [Math.min(...values), Math.max(...values)] : null;
  }

  private sentence(unit: PriceUnit): string {
    const bounds = this.bounds();
    if (!bounds) return '';
    const [low, high] = bounds.map((value) => this.print(value, unit)) as [string, string];
    return low === high ? t('price.steady') : t('price.today', { low, high });
  }

  private summary(unit: PriceUnit, now: string): string {
    const [low, high] = (this.bounds() ?? [0, 0]).map((value) => this.print(value, unit)) as [string, string];
    return t('price.summary', { low, high, unit: unit.unit, now });
  }

  private draw(): void {
    const steps = (this.samples?.ts_us ?? []).flatMap((us, i) => {
      const value = this.samples?.value[i] ?? null;
      return value === null ? [] : [{ us, value }];
    });
    if (steps.length === 0) {
      this.drawing = null;
      return;
    }
    const unit = priceUnit(this.unit);
    const ticks = [...TICK_HOURS.map((hour) => this.startUs + hour * HOUR_US), this.endUs];
    const model: PriceModel = {
      startUs: this.startUs,
      endUs: this.endUs,
      nowUs: this.nowUs,
      steps,
      ticks: ticks.map((us, i) => ({ us, label: i === ticks.length - 1 ? this.formats.endOfDay : this.formats.tick(us) })),
      nowLabel: t('word.now'),
      print: (value) => this.print(value, unit),
    };
    this.model = model;
    this.drawing = (context, palette, size): void => {
      drawPriceChart(context, model, palette, size);
    };
  }
}
