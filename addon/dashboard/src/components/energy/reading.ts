/** One step of a day, read: each series with what it was, printed so that the parts add up. */
import { html, nothing, type TemplateResult } from 'lit';
import type { Day, DaySeries } from '../../domain/day';
import type { Formats } from '../../domain/format';
import { roundParts, roundTo } from '../../domain/rounding';
import { t } from '../../i18n';
import { seriesName } from './series-names';

interface Row {
  series: DaySeries;
  name: string;
  /** kW, or kWh of an hour. */
  value: number;
}

export interface StepReading {
  span: string;
  known: string;
  unit: 'kW' | 'kWh';
  /** What a kWh of the step counts in `unit`. */
  perKwh: number;
  from: Row[];
  to: Row[];
  totalFrom: number;
  totalTo: number;
}

/** Null where nothing is known of the step. */
export function readStep(day: Day, index: number, formats: Formats): StepReading | null {
  const kind = day.provenance[index] ?? 'missing';
  const from = rowsOf(day.from, index, day.perKwh);
  const total = roundTo(from.reduce((sum, { value }) => sum + value, 0), 2);
  const alone = day.to.filter(({ colour }) => colour.startsWith('use-')).length === 1;
  const to = rowsOf(day.to, index, day.perKwh, total, alone);
  if (from.length === 0 && to.length === 0) return null;
  return {
    span: t('energy.read', { from: formats.time(day.edges_us[index] ?? 0), to: formats.time(day.edges_us[index + 1] ?? 0) }),
    known: t(`known.${kind}`),
    unit: day.steps === 'hour' ? 'kWh' : 'kW',
    perKwh: day.perKwh,
    from,
    to,
    totalFrom: total,
    totalTo: roundTo(to.reduce((sum, { value }) => sum + value, 0), 2),
  };
}

function rowsOf(list: readonly DaySeries[], index: number, perKwh: number, closeTo?: number, alone = false): Row[] {
  const known = list.filter(({ values }) => values[index] != null);
  const exact = known.map(({ values }) => Math.max(0, values[index] ?? 0) * perKwh);
  const sum = exact.reduce((a, b) => a + b, 0);
  const closes = closeTo !== undefined && Math.abs(closeTo - sum) < 0.01;
  const printed = roundParts(exact, 2, closes ? closeTo : sum);
  return known.map((series, i) => ({ series, name: seriesName(series, alone), value: printed[i] ?? 0 }));
}

/** The panel beside the crosshair. */
export function renderReading(reading: StepReading | null, formats: Formats): TemplateResult {
  if (!reading) return html`<div class="head">${t('known.all.missing')}</div>`;
  const kw = reading.unit === 'kW';
  const cells = (value: number): TemplateResult =>
    html`<td>${formats.kw(value)}</td>${kw ? html`<td class="second">${formats.kw(value / reading.perKwh)}</td>` : nothing}`;
  const row = ({ series, name, value }: Row): TemplateResult | typeof nothing =>
    value === 0 ? nothing : html`<tr><th scope="row"><span class="named"><i class="swatch ${series.colour}"></i>${name}</span></th>${cells(value)}</tr>`;
  const sum = (name: string, value: number): TemplateResult => html`<tr class="sum"><th scope="row">${name}</th>${cells(value)}</tr>`;
  return html`<div class="head">${reading.span} <span class="second">· ${reading.known}</span></div>
    <table class="reading">
      <thead><tr><th scope="col"></th>${kw ? html`<th scope="col">kW</th>` : nothing}<th scope="col">kWh</th></tr></thead>
      <tbody>${reading.from.map(row)} ${sum(t('energy.fed.from'), reading.totalFrom)} ${reading.to.map(row)} ${sum(t('energy.fed.to'), reading.totalTo)}</tbody>
    </table>`;
}

/** The same in the place of the key numbers, for a finger that would hide a panel. */
export function renderReadingInPlace(reading: StepReading | null, formats: Formats): TemplateResult {
  if (!reading) return html`<div class="head">${t('known.all.missing')}</div>`;
  const rows = [...reading.from, ...reading.to].filter(({ value }) => value > 0);
  return html`<div class="head">${reading.span} <span class="second">· ${reading.known}</span><b>${formats.kw(reading.totalFrom)} ${reading.unit}</b></div>
    <div class="cells">
      ${rows.map(({ series, name, value }) => html`<span><i class="swatch ${series.colour}"></i><span class="cell-name">${name}</span><b>${formats.kw(value)}</b></span>`)}
    </div>`;
}
