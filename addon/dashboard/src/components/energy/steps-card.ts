/** A period as a chart, its legends, how it is known, and the same as a table. */
import { mdiInformationOutline } from '@mdi/js';
import { LitElement, html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import type { StepSeries, StepsModel } from '../../charts/steps';
import type { Scale } from '../../domain/axis';
import { stepsName, ticksOf } from '../../domain/step-names';
import type { Column, StepLength, Steps } from '../../domain/steps';
import type { Formats } from '../../domain/format';
import type { KeyNumber } from '../../domain/key-numbers';
import type { Note } from '../../domain/notes';
import { marksOf, type Mark } from '../../domain/provenance';
import { seriesName } from '../../domain/series-names';
import { readStep, stepKnown } from '../../domain/step-reading';
import { t } from '../../i18n';
import { base, button, card, reading, swatch, table } from '../../styles/shared';
import { icon } from '../icon';
import { ReadEvent } from '../chart/steps-chart';
import '../chart/steps-chart';
import { stepsCardStyles } from './steps-card-styles';
import { keyNumberStyles, renderKeyRow } from './key-numbers';
import { knownStyles, renderKnown } from './known';
import { renderReading, renderReadingInPlace } from './reading';

const NARROW = '(max-width: 599.98px)';
const TITLE = {
  '5min': 'energy.five',
  '15min': 'energy.fifteen',
  hour: 'energy.chart',
  '3hours': 'energy.by.3hours',
  day: 'energy.by.day',
  week: 'energy.by.week',
  month: 'energy.by.month',
  year: 'energy.by.year',
} as const;

type Volume = NonNullable<Steps['gas']>;

export class StepsEvent extends Event {
  constructor(readonly steps: 'hour' | '5min') {
    super('steps');
  }
}

@customElement('ed-steps-card')
export class EdStepsCard extends LitElement {
  static override styles = [base, card, button, table, swatch, reading, keyNumberStyles, knownStyles, stepsCardStyles];

  @property({ attribute: false }) steps: Steps | null = null;
  @property({ attribute: false }) scale!: Scale;
  @property({ attribute: false }) formats!: Formats;
  @property() summary = '';
  /** False where only hours are known, so that finer steps would show nothing more. */
  @property({ type: Boolean }) fine = false;
  /** Since when there are records, in words, for the empty part of a chart that begins before. */
  @property() since = '';
  /** What else is to be said of these numbers. */
  @property({ attribute: false }) notes: readonly Note[] = [];
  /** The key numbers, shown above the chart on narrow pages and replaced while a point is read. */
  @property({ attribute: false }) numbers: readonly KeyNumber[] = [];
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
    if (['steps', 'scale', 'formats', 'narrow'].some((name) => changed.has(name))) {
      this.model = this.steps ? this.modelOf(this.steps) : null;
      this.reading = null;
    }
  }

  override render(): TemplateResult | typeof nothing {
    const { steps } = this;
    if (!steps) return nothing;
    return html`<section class="card" aria-labelledby="title">
      ${this.narrow ? html`<div class="in-place" role="status">${this.renderInPlace(steps)}</div>` : nothing}
      <div class="title">
        <h2 id="title">${this.narrow ? `${this.narrowTitle(steps)}, ${steps.unit}` : t(TITLE[steps.length])}</h2>
        ${this.renderLegend(steps.from, steps)} ${this.renderSwitch(steps.length)}
      </div>
      ${this.asTable
        ? this.renderTable(steps)
        : html`<ed-steps-chart .model=${this.model} .known=${steps.known} .panel=${this.narrow ? null : this.panel} summary=${this.summary} @read=${this.onRead}></ed-steps-chart>`}
      ${this.renderLegend(steps.to, steps)}
      <div class="foot">
        ${renderKnown(steps, this.spanOf)}
        <button class="text-button note" @click=${this.toggle}>${t(this.asTable ? 'table.hide' : 'table.show')}</button>
      </div>
      ${this.notes.map((note) => this.renderNote(note))}
    </section>`;
  }

  private renderNote({ text, details }: Note): TemplateResult {
    const line = html`${icon(mdiInformationOutline, 16)}<span>${text}</span>`;
    if (details.length === 0) return html`<p class="note also">${line}</p>`;
    return html`<details class="note">
      <summary class="also">${line}</summary>
      <ul>${details.map((detail) => html`<li>${detail}</li>`)}</ul>
    </details>`;
  }

  /** The switch beside it says how long the steps are. */
  private narrowTitle({ length, unit }: Steps): string {
    return unit === 'kW' ? t('energy.power') : t(this.fine ? 'nav.energy' : TITLE[length]);
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

  private readonly panel = (index: number): TemplateResult => (this.steps ? renderReading(readStep(this.steps, index, this.formats), this.formats) : html``);

  private renderInPlace(steps: Steps): TemplateResult | typeof nothing {
    return this.reading === null ? renderKeyRow(this.numbers) : renderReadingInPlace(readStep(steps, this.reading, this.formats), this.formats);
  }

  private nameOf(series: Column, steps: Steps): string {
    return seriesName(series, steps.to.filter(({ colour }) => colour.startsWith('use-')).length === 1);
  }

  private renderLegend(list: readonly Column[], steps: Steps): TemplateResult {
    return html`<div class="legend">${list.map((series) => html`<span class="named"><i class="swatch ${series.colour}"></i>${this.nameOf(series, steps)}</span>`)}</div>`;
  }

  private renderSwitch(steps: StepLength): TemplateResult | typeof nothing {
    if (!this.fine) return nothing;
    const minutes = this.narrow ? 15 : 5;
    const choice = (value: 'hour' | '5min', label: string): TemplateResult => {
      const chosen = (steps === 'hour') === (value === 'hour');
      return html`<button aria-pressed=${chosen} @click=${(): void => void this.dispatchEvent(new StepsEvent(value))}>${label}</button>`;
    };
    return html`<div class="segments" role="group" aria-label=${t('energy.steps')}>${choice('hour', t('energy.hours'))}${choice('5min', t('energy.minutes', { n: minutes }))}</div>`;
  }

  private readonly spanOf = (from: number, until: number): string => (this.steps ? stepsName(this.steps, from, until, this.formats) : '');

  private modelOf(steps: Steps): StepsModel {
    const series = (list: readonly Column[]): StepSeries[] =>
      list.map((entry) => ({ ...entry, name: this.nameOf(entry, steps), values: entry.values.map((value) => (value === null ? null : Math.max(0, value) * steps.perKwh)) }));
    const { unit } = steps;
    return {
      count: steps.edges_us.length - 1,
      above: series(steps.from),
      below: series(steps.to),
      line: null,
      bars: steps.unit === 'kWh',
      ticks: ticksOf(steps, this.narrow, this.formats),
      scale: this.scale,
      print: (value) => this.formats.axis(value),
      marks: marksOf(steps.provenance, steps.known, steps.partly, steps.before),
      markLabel: (mark: Mark) => (mark.partly ? t('known.partly') : t('known.missingBand', { length: this.formats.duration((steps.edges_us[mark.until] ?? 0) - (steps.edges_us[mark.from] ?? 0)) })),
      captions: this.narrow ? null : { above: t('energy.from', { unit }), below: t('energy.to', { unit }) },
      before: steps.before > 0 && this.since ? { until: steps.before, label: this.since } : null,
      ends: [],
    };
  }

  private renderTable(steps: Steps): TemplateResult {
    const columns = [...steps.from, ...steps.to];
    const unit = steps.unit;
    const volumes = [[t('row.gas'), steps.gas] as const, [t('row.water'), steps.water] as const].filter((entry): entry is [string, Volume] => entry[1] !== null);
    const places = Array.from({ length: Math.max(0, steps.known - steps.before) }, (_, i) => steps.before + i);
    return html`<div class="scroll" tabindex="0" role="group" aria-labelledby="title">
      <table>
        <thead>
          <tr>
            <th scope="col">${t('energy.time')}, ${unit}</th>
            ${columns.map((series) => html`<th scope="col">${this.nameOf(series, steps)}</th>`)}
            ${volumes.map(([name, { unit: own }]) => html`<th scope="col">${name}, ${own}</th>`)}
            <th scope="col">${t('energy.known')}</th>
          </tr>
        </thead>
        <tbody>
          ${places.map(
            (i) => html`<tr>
              <th scope="row">${this.spanOf(i, i + 1)}</th>
              ${columns.map(({ values }) => html`<td>${values[i] == null ? '' : this.formats.kw(values[i] * steps.perKwh)}</td>`)}
              ${volumes.map(([, { values }]) => html`<td>${values[i] == null ? '' : this.formats.number(values[i], 2)}</td>`)}
              <td>${stepKnown(steps, i, volumes)}</td>
            </tr>`,
          )}
        </tbody>
      </table>
    </div>`;
  }
}
