import { LitElement, css, html, nothing, type TemplateResult } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import type { Energy } from '../../api/types';
import type { Figures } from '../../domain/figures';
import type { Formats } from '../../domain/format';
import { roundTo } from '../../domain/rounding';
import { t } from '../../i18n';
import { base, card, swatch, table } from '../../styles/shared';

interface Row {
  id: string;
  colour: string | null;
  name: string;
  kwh: number;
  was: number | undefined;
}

@customElement('ed-totals-card')
export class EdTotalsCard extends LitElement {
  static override styles = [
    base,
    card,
    table,
    swatch,
    css`
      :host {
        display: grid;
      }
      tbody + tbody::before {
        content: '';
        display: table-row;
        height: 12px;
      }
      thead th {
        vertical-align: bottom;
        white-space: normal;
      }
      th[scope='row'] {
        min-width: 116px;
        max-width: 0;
        width: 100%;
      }
      .named {
        display: flex;
        gap: 10px;
      }
      .name {
        overflow: hidden;
        text-overflow: ellipsis;
      }
      @media (max-width: 599.98px) {
        th,
        td {
          height: 36px;
        }
        .change {
          display: none;
        }
        tr > :nth-child(3) {
          padding-right: 0;
        }
      }
    `,
  ];

  @property({ attribute: false }) energy!: Energy;
  @property({ attribute: false }) figures!: Figures;
  @property({ attribute: false }) was: Figures | null = null;
  @property() day = '';
  @property() wasDay = '';
  @property({ attribute: false }) formats!: Formats;

  override render(): TemplateResult {
    const { figures, was } = this;
    return html`<section class="card" aria-labelledby="title">
      <div class="title"><h2 id="title">${t('energy.totals')}</h2></div>
      <table>
        <thead>
          <tr>
            <th scope="col">kWh</th>
            <th scope="col">${this.day}</th>
            ${was ? html`<th scope="col">${this.wasDay}</th><th scope="col" class="change">${t('energy.change')}</th>` : nothing}
          </tr>
        </thead>
        <tbody>
          ${this.fromRows().map((row) => this.renderRow(row))} ${this.renderSum(t('energy.totalFrom'), figures.totalFrom, was?.totalFrom)}
        </tbody>
        <tbody>
          ${this.toRows().map((row) => this.renderRow(row))} ${this.renderSum(t('energy.totalTo'), figures.totalTo, was?.totalTo)}
        </tbody>
      </table>
    </section>`;
  }

  private fromRows(): Row[] {
    const { figures, was } = this;
    const { has } = this.energy;
    const rows: [Row, boolean][] = [
      [{ id: 'solar', colour: 'solar', name: t('energy.table.solar'), kwh: figures.solar, was: was?.solar }, has.solar],
      [{ id: 'battery', colour: 'battery_discharge', name: t('row.battery_discharge'), kwh: figures.battery_discharge, was: was?.battery_discharge }, has.battery],
      [{ id: 'grid', colour: 'grid_import', name: t('row.grid_import'), kwh: figures.grid_import, was: was?.grid_import }, has.grid],
    ];
    return rows.filter(([, shown]) => shown).map(([row]) => row);
  }

  private toRows(): Row[] {
    const { figures, was } = this;
    const { has } = this.energy;
    const uses = figures.uses.map((use, i): Row => {
      const last = i === figures.uses.length - 1;
      const name = use.name ?? t(last && i === 0 ? 'row.home' : 'series.otherUse');
      return { id: use.id, colour: last ? 'use-3' : `use-${i + 1}`, name, kwh: use.kwh, was: was?.uses.find(({ id }) => id === use.id)?.kwh };
    });
    const rows = [...uses];
    if (has.battery) rows.push({ id: 'charge', colour: 'battery_charge', name: t('row.battery_charge'), kwh: figures.battery_charge, was: was?.battery_charge });
    if (has.export) rows.push({ id: 'export', colour: 'grid_export', name: t('row.grid_export'), kwh: figures.grid_export, was: was?.grid_export });
    return rows;
  }

  private renderSum(name: string, kwh: number, was: number | undefined): TemplateResult {
    return this.renderRow({ id: 'sum', colour: null, name, kwh, was }, 'sum');
  }

  private renderRow({ colour, name, kwh, was }: Row, kind = ''): TemplateResult {
    const { decimals } = this.figures;
    return html`<tr class=${kind}>
      <th scope="row"><span class="named">${colour ? html`<i class="swatch ${colour}"></i>` : nothing}<span class="name" title=${name}>${name}</span></span></th>
      <td>${this.formats.number(kwh, decimals)}</td>
      ${this.was ? html`<td class="second">${was === undefined ? '' : this.formats.number(was, decimals)}</td><td class="change">${was === undefined ? '' : this.formats.change(kwh - roundTo(was, decimals), decimals)}</td>` : nothing}
    </tr>`;
  }
}
