/** Gas or water of a period: its amount, its bars, and the same as a table. */
import { LitElement, css, html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import type { StepsModel } from '../../charts/steps';
import { scaleFor } from '../../domain/axis';
import type { Formats } from '../../domain/format';
import type { KeyNumber } from '../../domain/key-numbers';
import { marksOf } from '../../domain/provenance';
import { STEP_NAMES, stepsName, ticksOf } from '../../domain/step-names';
import type { Volume } from '../../domain/volume';
import { t } from '../../i18n';
import { base, button, card, reading, swatch, table } from '../../styles/shared';
import { ReadEvent } from '../chart/steps-chart';
import '../chart/steps-chart';
import { knownStyles, renderKnown } from './known';

const AXIS_STEPS = 3;
const DECIMALS = 2;

@customElement('ed-volume-card')
export class EdVolumeCard extends LitElement {
  static override styles = [
    base,
    card,
    button,
    table,
    swatch,
    reading,
    knownStyles,
    css`
      :host {
        display: grid;
      }
      .card {
        display: flex;
        flex-direction: column;
        padding-bottom: 8px;
      }
      .title {
        align-items: center;
      }
      .line {
        display: flex;
        flex-wrap: wrap;
        align-items: baseline;
        gap: 0 12px;
        min-height: 32px;
      }
      ed-steps-chart,
      .scroll {
        flex: 1;
        height: 148px;
        min-height: 148px;
        margin-top: 4px;
      }
      .scroll {
        overflow: auto;
      }
    `,
  ];

  @property() which: 'gas' | 'water' = 'gas';
  @property() name = '';
  /** The period in words. */
  @property() period = '';
  @property({ attribute: false }) volume!: Volume;
  @property({ attribute: false }) number!: KeyNumber;
  @property({ attribute: false }) formats!: Formats;
  @property({ type: Boolean }) narrow = false;
  @state() private asTable = false;
  @state() private read: number | null = null;
  private model: StepsModel | null = null;

  override willUpdate(changed: PropertyValues): void {
    if (!['volume', 'formats', 'narrow'].some((name) => changed.has(name))) return;
    this.model = this.modelOf(this.volume);
    this.read = null;
  }

  override render(): TemplateResult {
    const { volume, name, formats } = this;
    const total = volume.total === null ? t('row.none') : formats.number(volume.total, DECIMALS);
    const summary = t('volume.summary', { name, total, unit: volume.unit, period: this.period });
    return html`<section class="card" aria-labelledby="title">
      <div class="title">
        <h2 id="title">${t('volume.title', { name, step: t(STEP_NAMES[volume.length]) })}</h2>
        <button class="text-button note" @click=${this.toggle}>${t(this.asTable ? 'table.hide' : 'table.show')}</button>
      </div>
      <div class="line" role="status">${this.renderLine()}</div>
      ${this.asTable
        ? this.renderTable()
        : html`<ed-steps-chart .model=${this.model} .known=${volume.known} summary=${summary} @read=${this.onRead}></ed-steps-chart>`}
      ${this.renderKnown()}
    </section>`;
  }

  /** Nothing is said where all of it was measured: that is what one expects. */
  private renderKnown(): TemplateResult | typeof nothing {
    const { volume } = this;
    const marked = marksOf(volume.provenance, volume.known, volume.partly, volume.before).length > 0;
    return marked ? renderKnown(volume, (from, until) => stepsName(volume, from, until, this.formats)) : nothing;
  }

  private knownOf(step: number): string {
    return t(this.volume.partly(step) ? 'known.partly' : `known.${this.volume.provenance[step] ?? 'missing'}`);
  }

  /** The amount of the period, or of the step that is read. */
  private renderLine(): TemplateResult {
    const { volume, number, read } = this;
    const at = read === null ? null : (volume.values[read] ?? null);
    const [value, unit] = read === null ? [number.value, number.unit] : at === null ? [t('known.missing'), ''] : [this.print(at), volume.unit];
    const span = (step: number): string => stepsName(volume, step, step + 1, this.formats, true);
    const note = read === null ? (this.narrow ? number.change : number.compared) : at === null ? span(read) : `${span(read)} · ${this.knownOf(read)}`;
    return html`<span class="key-number">${value} <span class="unit">${unit}</span></span><span class="note">${note}</span>`;
  }

  private print(value: number): string {
    return this.formats.number(value, DECIMALS);
  }

  private toggle(): void {
    this.asTable = !this.asTable;
  }

  private onRead(event: ReadEvent): void {
    this.read = event.index;
  }

  private modelOf(volume: Volume): StepsModel {
    const values = volume.values.map((value) => (value === null ? null : Math.max(0, value)));
    return {
      count: volume.edges_us.length - 1,
      above: [{ id: this.which, name: this.name, colour: this.which, values }],
      below: [],
      line: null,
      bars: true,
      ticks: ticksOf(volume, this.narrow, this.formats),
      scale: scaleFor(Math.max(0, ...values.map((value) => value ?? 0)), AXIS_STEPS, 0.01),
      print: (value) => this.formats.axis(value),
      marks: marksOf(volume.provenance, volume.known, volume.partly, volume.before),
      markLabel: (mark) => t('known.missingBand', { length: this.formats.duration((volume.edges_us[mark.until] ?? 0) - (volume.edges_us[mark.from] ?? 0)) }),
      captions: null,
      before: null,
      ends: [],
    };
  }

  private renderTable(): TemplateResult {
    const { volume } = this;
    const places = Array.from({ length: Math.max(0, volume.known - volume.before) }, (_, i) => volume.before + i);
    return html`<div class="scroll" tabindex="0" role="group" aria-labelledby="title">
      <table>
        <thead>
          <tr><th scope="col">${t('energy.time')}</th><th scope="col">${volume.unit}</th><th scope="col">${t('energy.known')}</th></tr>
        </thead>
        <tbody>
          ${places.map((i) => {
            const value = volume.values[i] ?? null;
            return html`<tr><th scope="row">${stepsName(volume, i, i + 1, this.formats)}</th><td>${value === null ? nothing : this.print(value)}</td><td>${this.knownOf(i)}</td></tr>`;
          })}
        </tbody>
      </table>
    </div>`;
  }
}
