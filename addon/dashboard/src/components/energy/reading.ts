import { html, nothing, type TemplateResult } from 'lit';
import type { Formats } from '../../domain/format';
import type { ReadingRow, StepReading } from '../../domain/step-reading';
import { t } from '../../i18n';

/** The panel beside the crosshair. */
export function renderReading(reading: StepReading | null, formats: Formats): TemplateResult {
  if (!reading) return html`<div class="head">${t('known.all.missing')}</div>`;
  const kw = reading.unit === 'kW';
  const cells = (value: number): TemplateResult =>
    html`<td>${formats.kw(value)}</td>${kw ? html`<td class="second">${formats.kw(value / reading.perKwh)}</td>` : nothing}`;
  const row = ({ series, name, value }: ReadingRow): TemplateResult | typeof nothing =>
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
