/** The last 60 minutes as steps per minute, or as a table. */
import { LitElement, css, html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import type { StepSeries, StepsModel } from '../../charts/steps';
import { keepScale, type Scale } from '../../domain/axis';
import type { Formats } from '../../domain/format';
import { MINUTES, type LastHour } from '../../domain/last-hour';
import { marksOf } from '../../domain/provenance';
import { MINUTE_US } from '../../domain/time';
import { t } from '../../i18n';
import { base, button, card, swatch, table } from '../../styles/shared';
import '../chart/steps-chart';

/** A sleeping house is not drawn as a mountain range. */
const SMALLEST_KW = 0.5;
const SHORT = { solar: 'energy.node.solar', battery_discharge: 'energy.node.battery', grid_import: 'energy.node.grid' } as const;

@customElement('ed-hour-card')
export class EdHourCard extends LitElement {
  static override styles = [
    base,
    card,
    button,
    table,
    swatch,
    css`
      ed-steps-chart {
        height: 196px;
      }
      .scroll {
        max-height: 196px;
        overflow: auto;
      }
      @media (max-width: 599.98px) {
        ed-steps-chart {
          height: 128px;
        }
        .legend {
          order: 3;
          width: 100%;
        }
        .title > .note {
          margin-left: auto;
        }
        .long {
          display: none;
        }
      }
      @media (min-width: 600px) {
        .short {
          display: none;
        }
      }
      @media (min-width: 1024px) {
        .card {
          display: flex;
          flex-direction: column;
          height: 100%;
        }
        ed-steps-chart {
          flex: 1;
          min-height: 196px;
          max-height: 360px;
        }
      }
    `,
  ];

  @property({ attribute: false }) hour: LastHour | null = null;
  @property({ attribute: false }) formats!: Formats;
  @state() private asTable = false;
  private model: StepsModel | null = null;
  private scale: Scale | null = null;

  override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has('hour') || changed.has('formats')) this.model = this.hour ? this.modelOf(this.hour) : null;
  }

  override render(): TemplateResult {
    return html`<section class="card" aria-labelledby="title">
      <div class="title">
        <h2 id="title">${t('hour.title')}</h2>
        <div class="legend">
          ${this.model?.above.map(({ id, name }) => html`<span class="named"><i class="swatch ${id}"></i><span class="long">${name}</span><span class="short">${t(SHORT[id as keyof typeof SHORT])}</span></span>`)}
          <span class="named"><i class="swatch line"></i><span class="long">${t('series.home')}</span><span class="short">${t('energy.node.home')}</span></span>
        </div>
        <span class="note">
          <span class="long">${t('hour.unit')}</span><span class="short">kW</span> ·
          <button class="text-button" @click=${this.toggle}>${t(this.asTable ? 'table.hide' : 'table.show')}</button>
        </span>
      </div>
      ${this.asTable ? this.renderTable() : html`<ed-steps-chart .model=${this.model} .known=${MINUTES} .panel=${this.panel} summary=${this.summary()}></ed-steps-chart>`}
    </section>`;
  }

  private toggle(): void {
    this.asTable = !this.asTable;
  }

  private seriesOf(hour: LastHour): StepSeries[] {
    const series: [StepSeries['colour'], string, (number | null)[] | null][] = [
      ['solar', t('series.solar'), hour.solar],
      ['battery_discharge', t('series.battery_discharge'), hour.battery],
      ['grid_import', t('series.grid_import'), hour.grid],
    ];
    return series.flatMap(([id, name, values]) => (values ? [{ id, name, colour: id, values }] : []));
  }

  private modelOf(hour: LastHour): StepsModel {
    const above = this.seriesOf(hour);
    const sums = hour.home.map((home, i) => Math.max(home ?? 0, above.reduce((sum, { values }) => sum + (values[i] ?? 0), 0)));
    this.scale = keepScale(this.scale, Math.max(SMALLEST_KW, ...sums), 5);
    const { solar, home } = hour.now;
    const labels = [0, 10, 20, 30, 40, 50].map((at) => ({ at, label: this.formats.tick(hour.startUs + at * MINUTE_US) }));
    return {
      count: MINUTES,
      above,
      below: [],
      line: { name: t('series.home'), values: hour.home },
      bars: false,
      ticks: [...labels.filter(({ at }) => at % this.tickMinutes === 0), { at: MINUTES, label: t('word.now') }],
      scale: this.scale,
      print: (value) => this.formats.axis(value),
      marks: marksOf(hour.missing.map((missing) => (missing ? 'missing' : 'measured'))),
      markLabel: (mark) => t('known.missingBand', { length: `${mark.until - mark.from} min` }),
      captions: null,
      before: hour.before > 0 ? { until: hour.before, label: t('hour.began', { time: this.timeAt(hour, hour.before) }) } : null,
      ends: [
        ...(solar === null ? [] : [{ text: t('series.solarNow', { kw: this.formats.kw(solar) }), value: solar }]),
        ...(home === null ? [] : [{ text: t('series.homeNow', { kw: this.formats.kw(home) }), value: home }]),
      ],
    };
  }

  private get tickMinutes(): number {
    return this.clientWidth < 480 ? 20 : 10;
  }

  private timeAt(hour: LastHour, minute: number): string {
    return this.formats.time(hour.startUs + minute * MINUTE_US);
  }

  private rowsAt(index: number): [string, string, number | null][] {
    const series = this.model?.above ?? [];
    return [
      ...series.map(({ id, name, values }): [string, string, number | null] => [id, name, values[index] ?? null]),
      ['line', t('series.home'), this.hour?.home[index] ?? null],
    ];
  }

  private readonly panel = (index: number): TemplateResult => {
    const hour = this.hour;
    if (!hour) return html``;
    const rows = this.rowsAt(index);
    return html`<div class="head">${t('energy.read', { from: this.timeAt(hour, index), to: this.timeAt(hour, index + 1) })}</div>
      ${rows.map(([id, name, kw]) => html`<div class="panel-row"><i class="swatch ${id}"></i>${name}<b>${kw === null ? t('flow.noValue') : `${this.formats.kw(kw)} kW`}</b></div>`)}`;
  };

  private summary(): string {
    const values = (this.hour?.home ?? []).filter((value) => value !== null);
    if (values.length === 0) return t('hour.noReadings');
    const [home, low, high] = [values.at(-1) ?? 0, Math.min(...values), Math.max(...values)].map((kw) => this.formats.kw(kw)) as [string, string, string];
    return t('hour.summary', { home, low, high });
  }

  private renderTable(): TemplateResult | typeof nothing {
    const { hour, model } = this;
    if (!hour || !model) return nothing;
    const places = Array.from({ length: MINUTES }, (_, i) => MINUTES - 1 - i);
    return html`<div class="scroll" tabindex="0" role="group" aria-labelledby="title">
      <table>
        <thead>
          <tr>
            <th scope="col">${t('energy.time')}</th>
            ${this.rowsAt(0).map(([, name]) => html`<th scope="col">${name}, kW</th>`)}
          </tr>
        </thead>
        <tbody>
          ${places.map((i) => html`<tr><th scope="row">${this.timeAt(hour, i)}</th>${this.rowsAt(i).map(([, , kw]) => html`<td>${kw === null ? '' : this.formats.kw(kw)}</td>`)}</tr>`)}
        </tbody>
      </table>
    </div>`;
  }
}
