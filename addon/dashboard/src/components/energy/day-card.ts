/** The day as a chart, its legends, how it is known, and the same as a table. */
import { LitElement, html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import type { StepSeries, StepsModel } from '../../charts/steps';
import type { Scale } from '../../domain/axis';
import { hourTicks, type Day, type DaySeries, type Steps } from '../../domain/day';
import type { Formats } from '../../domain/format';
import { knownSentence, marksOf, type Mark } from '../../domain/provenance';
import { seriesName } from '../../domain/series-names';
import { readStep } from '../../domain/step-reading';
import { t } from '../../i18n';
import { base, button, card, reading, swatch, table } from '../../styles/shared';
import { ReadEvent } from '../chart/steps-chart';
import '../chart/steps-chart';
import { dayCardStyles } from './day-card-styles';
import { keyNumberStyles } from './key-numbers';
import { renderReading, renderReadingInPlace } from './reading';

const NARROW = '(max-width: 599.98px)';
const TITLE = { hour: 'energy.chart', '5min': 'energy.five', '15min': 'energy.fifteen' } as const;

export class StepsEvent extends Event {
  constructor(readonly steps: 'hour' | '5min') {
    super('steps');
  }
}

@customElement('ed-day-card')
export class EdDayCard extends LitElement {
  static override styles = [base, card, button, table, swatch, reading, keyNumberStyles, dayCardStyles];

  @property({ attribute: false }) day: Day | null = null;
  @property({ attribute: false }) scale!: Scale;
  @property({ attribute: false }) formats!: Formats;
  @property() name = '';
  @property() summary = '';
  /** False where only hours are known, so that finer steps would show nothing more. */
  @property({ type: Boolean }) fine = false;
  /** The key numbers, shown above the chart on narrow pages and replaced while a point is read. */
  @property({ attribute: false }) keyNumbers: TemplateResult | typeof nothing = nothing;
  @state() private asTable = false;
  @state() private reading: number | null = null;
  @state() private narrow = matchMedia(NARROW).matches;
  private model: StepsModel | null = null;
  private readonly media = matchMedia(NARROW);

  override connectedCallback(): void {
    super.connectedCallback();
    this.media.addEventListener('change', this.onMedia);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.media.removeEventListener('change', this.onMedia);
  }

  override willUpdate(changed: PropertyValues): void {
    if (['day', 'scale', 'formats', 'narrow'].some((name) => changed.has(name))) {
      this.model = this.day ? this.modelOf(this.day) : null;
      this.reading = null;
    }
  }

  override render(): TemplateResult | typeof nothing {
    const { day } = this;
    if (!day) return nothing;
    return html`<section class="card" aria-labelledby="title">
      ${this.narrow ? html`<div class="in-place" role="status">${this.renderInPlace(day)}</div>` : nothing}
      <div class="title">
        <h2 id="title">${t(TITLE[day.steps])}${this.narrow ? `, ${day.steps === 'hour' ? 'kWh' : 'kW'}` : ''}</h2>
        ${this.renderLegend(day.from, day)} ${this.renderSwitch(day.steps)}
      </div>
      ${this.asTable
        ? this.renderTable(day)
        : html`<ed-steps-chart .model=${this.model} .known=${day.known} .panel=${this.narrow ? null : this.panel} summary=${this.summary} @read=${this.onRead}></ed-steps-chart>`}
      ${this.renderLegend(day.to, day)}
      <div class="foot">
        ${this.renderKnown(day)}
        <button class="text-button note" @click=${this.toggle}>${t(this.asTable ? 'table.hide' : 'table.show')}</button>
      </div>
    </section>`;
  }

  private readonly onMedia = (event: MediaQueryListEvent): void => {
    this.narrow = event.matches;
  };

  private toggle(): void {
    this.asTable = !this.asTable;
  }

  private onRead(event: ReadEvent): void {
    this.reading = event.index;
  }

  private readonly panel = (index: number): TemplateResult => (this.day ? renderReading(readStep(this.day, index, this.formats), this.formats) : html``);

  private renderInPlace(day: Day): TemplateResult | typeof nothing {
    return this.reading === null ? this.keyNumbers : renderReadingInPlace(readStep(day, this.reading, this.formats), this.formats);
  }

  private nameOf(series: DaySeries, day: Day): string {
    return seriesName(series, day.to.filter(({ colour }) => colour.startsWith('use-')).length === 1);
  }

  private renderLegend(list: readonly DaySeries[], day: Day): TemplateResult {
    return html`<div class="legend">${list.map((series) => html`<span class="named"><i class="swatch ${series.colour}"></i>${this.nameOf(series, day)}</span>`)}</div>`;
  }

  private renderSwitch(steps: Steps): TemplateResult | typeof nothing {
    if (!this.fine) return nothing;
    const minutes = this.narrow ? 15 : 5;
    const choice = (value: 'hour' | '5min', label: string): TemplateResult => {
      const chosen = (steps === 'hour') === (value === 'hour');
      return html`<button aria-pressed=${chosen} @click=${(): void => void this.dispatchEvent(new StepsEvent(value))}>${label}</button>`;
    };
    return html`<div class="segments" role="group" aria-label=${t('energy.steps')}>${choice('hour', t('energy.hours'))}${choice('5min', t('energy.minutes', { n: minutes }))}</div>`;
  }

  private renderKnown(day: Day): TemplateResult {
    const kinds = marksOf(day.provenance, day.known).map((mark) => mark.kind);
    const sign = kinds.includes('missing') ? 'missing' : (kinds[0] ?? 'measured');
    return html`<p class="note known">${sign === 'measured' ? nothing : html`<i class="sign ${sign}"></i>`}<span>${knownSentence(day, this.spanOf)}</span></p>`;
  }

  private readonly spanOf = (from: number, until: number): string => {
    const edges = this.day?.edges_us ?? [];
    const end = until === edges.length - 1 ? this.formats.endOfDay : this.formats.time(edges[until] ?? 0);
    return t('known.span', { from: this.formats.time(edges[from] ?? 0), to: end });
  };

  private modelOf(day: Day): StepsModel {
    const series = (list: readonly DaySeries[]): StepSeries[] =>
      list.map((entry) => ({ ...entry, name: this.nameOf(entry, day), values: entry.values.map((value) => (value === null ? null : Math.max(0, value) * day.perKwh)) }));
    const unit = day.steps === 'hour' ? 'kWh' : 'kW';
    return {
      count: day.edges_us.length - 1,
      above: series(day.from),
      below: series(day.to),
      line: null,
      bars: day.steps === 'hour',
      ticks: hourTicks(day.edges_us, this.narrow ? 6 : 3, this.formats),
      scale: this.scale,
      marks: marksOf(day.provenance, day.known, day.partly),
      markLabel: (mark: Mark) => (mark.partly ? t('known.partly') : t('known.missingBand', { length: this.formats.duration((day.edges_us[mark.until] ?? 0) - (day.edges_us[mark.from] ?? 0)) })),
      captions: this.narrow ? null : { above: t('energy.from', { unit }), below: t('energy.to', { unit }) },
      before: null,
      ends: [],
    };
  }

  private renderTable(day: Day): TemplateResult {
    const columns = [...day.from, ...day.to];
    const unit = day.steps === 'hour' ? 'kWh' : 'kW';
    const places = Array.from({ length: day.known }, (_, i) => i);
    return html`<div class="scroll" tabindex="0" role="region" aria-labelledby="title">
      <table>
        <thead>
          <tr>
            <th scope="col">${t('energy.time')}, ${unit}</th>
            ${columns.map((series) => html`<th scope="col">${this.nameOf(series, day)}</th>`)}
            <th scope="col">${t('energy.known')}</th>
          </tr>
        </thead>
        <tbody>
          ${places.map(
            (i) => html`<tr>
              <th scope="row">${this.spanOf(i, i + 1)}</th>
              ${columns.map(({ values }) => html`<td>${values[i] == null ? '' : this.formats.kw(values[i] * day.perKwh)}</td>`)}
              <td>${t(day.partly(i) ? 'known.partly' : `known.${day.provenance[i] ?? 'missing'}`)}</td>
            </tr>`,
          )}
        </tbody>
      </table>
    </div>`;
  }
}
