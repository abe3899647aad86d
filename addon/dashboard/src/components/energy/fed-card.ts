import { LitElement, css, html, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import '../../charts/canvas';
import type { DrawChart } from '../../charts/canvas';
import { drawFedChart } from '../../charts/fed';
import type { Fed, FedNode } from '../../domain/fed';
import type { Formats } from '../../domain/format';
import { t } from '../../i18n';
import { base, button, card, table } from '../../styles/shared';

const NAMES = {
  grid: 'energy.node.grid',
  battery: 'energy.node.battery',
  solar: 'energy.node.solar',
  home: 'energy.node.home',
  toBattery: 'energy.node.toBattery',
  toGrid: 'energy.node.toGrid',
  others: 'flow.others',
  untracked: 'flow.notTracked',
} as const;

const nameOf = ({ id, name }: FedNode): string => name ?? t(NAMES[id as keyof typeof NAMES]);

@customElement('ed-fed-card')
export class EdFedCard extends LitElement {
  static override styles = [
    base,
    card,
    button,
    table,
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
        margin-bottom: 4px;
      }
      .chart,
      .scroll {
        flex: 1;
        height: 152px;
        min-height: 152px;
        max-height: 320px;
      }
      .scroll {
        overflow: auto;
      }
      @media (max-width: 599.98px) {
        .chart,
        .scroll {
          height: 260px;
          min-height: 260px;
        }
      }
    `,
  ];

  @property({ attribute: false }) fed!: Fed;
  @property({ attribute: false }) formats!: Formats;
  @state() private asTable = false;
  @state() private drawing: DrawChart | null = null;

  override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has('fed') && !changed.has('formats')) return;
    const { fed, formats } = this;
    const words = { nameOf, print: (kwh: number): string => formats.number(kwh, fed.decimals) };
    this.drawing = (context, palette, size): void => {
      drawFedChart(context, fed, words, palette, size);
    };
  }

  override render(): TemplateResult {
    return html`<section class="card" aria-labelledby="title">
      <div class="title">
        <h2 id="title">${t('energy.fed')}</h2>
        <span class="note">kWh · <button class="text-button" @click=${this.toggle}>${t(this.asTable ? 'table.hide' : 'table.show')}</button></span>
      </div>
      ${this.asTable ? this.renderTable() : html`<div class="chart" role="img" aria-label=${t('energy.fed.summary')}><ed-canvas .draw=${this.drawing}></ed-canvas></div>`}
    </section>`;
  }

  private toggle(): void {
    this.asTable = !this.asTable;
  }

  private renderTable(): TemplateResult {
    const nodes = new Map(this.fed.nodes.map((node) => [node.id, node]));
    const name = (id: FedNode['id']): string => {
      const node = nodes.get(id);
      return node ? nameOf(node) : '';
    };
    return html`<div class="scroll" tabindex="0" role="group" aria-labelledby="title">
      <table>
        <thead>
          <tr><th scope="col">${t('energy.fed.from')}</th><th scope="col">${t('energy.fed.to')}</th><th scope="col">kWh</th></tr>
        </thead>
        <tbody>
          ${this.fed.links.map(({ from, to, kwh }) => html`<tr><th scope="row">${name(from)}</th><td>${name(to)}</td><td>${this.formats.number(kwh, 2)}</td></tr>`)}
        </tbody>
      </table>
    </div>`;
  }
}
