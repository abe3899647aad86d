/** Every Entity with its newest reading; searched and sorted in place. */
import { mdiMagnify } from '@mdi/js';
import { LitElement, css, html, nothing, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import type { Entity } from '../../api/types';
import { listEntities, type Column, type Sorting } from '../../domain/entity-list';
import type { Formats } from '../../domain/format';
import type { LatestValues } from '../../domain/power';
import { t, tn } from '../../i18n';
import { base, button, card, table } from '../../styles/shared';
import { icon } from '../icon';

const COLUMNS: readonly [Column, 'entities.name' | 'entities.value' | 'entities.last' | 'entities.rate' | 'entities.complete'][] = [
  ['name', 'entities.name'],
  ['value', 'entities.value'],
  ['last', 'entities.last'],
  ['rate', 'entities.rate'],
  ['complete', 'entities.complete'],
];

@customElement('ed-entities-card')
export class EdEntitiesCard extends LitElement {
  static override styles = [
    base,
    card,
    button,
    table,
    css`
      .search {
        position: relative;
        color: var(--ink-2);
      }
      .search svg {
        position: absolute;
        left: 10px;
        top: 8px;
      }
      .title {
        align-items: center;
      }
      .title .count {
        margin-left: 0;
        flex: 1;
      }
      input {
        width: 220px;
        height: 36px;
        padding: 0 12px 0 36px;
        border: 1px solid var(--line);
        border-radius: 18px;
        background: var(--ground);
        color: var(--ink);
      }
      thead button {
        font: 400 12px/16px Roboto, sans-serif;
        color: var(--ink-2);
      }
      thead button:hover,
      [aria-sort] button {
        color: var(--ink);
      }
      [aria-sort='ascending'] button::after {
        content: ' ↑';
      }
      [aria-sort='descending'] button::after {
        content: ' ↓';
      }
      tbody tr {
        border-top: 1px solid var(--line);
      }
      tbody th,
      tbody td {
        height: 40px;
      }
      th[scope='row'] {
        width: 100%;
        max-width: 0;
      }
      .name,
      .id {
        display: block;
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      .warn {
        color: var(--warning);
      }
      .incomplete {
        color: var(--error);
      }
      @media (max-width: 599.98px) {
        .search,
        input {
          width: 100%;
        }
        input {
          height: 48px;
          border-radius: 24px;
        }
        .search svg {
          top: 14px;
        }
        .rate,
        .last {
          display: none;
        }
        thead button {
          min-height: 48px;
        }
        tbody th,
        tbody td {
          height: 52px;
        }
      }
    `,
  ];

  @property({ attribute: false }) entities: readonly Entity[] = [];
  @property({ attribute: false }) values!: LatestValues;
  @property({ type: Number }) nowUs = 0;
  @property({ attribute: false }) formats!: Formats;
  @state() private search = '';
  @state() private sorting: Sorting = { column: 'name', descending: false };

  override render(): TemplateResult {
    const rows = listEntities(this.entities, this.values, this.search, this.sorting);
    const count = this.entities.length;
    return html`<section class="card" aria-labelledby="title">
      <div class="title">
        <h2 id="title">${t('entities.title')}</h2>
        <span class="second count" role="status">${this.search ? t('entities.found', { found: rows.length, count }) : tn('entities.count', count)}</span>
        <label class="search"><span class="spoken">${t('entities.search')}</span>${icon(mdiMagnify, 20)}<input type="search" placeholder=${t('entities.search')} .value=${this.search} @input=${this.onSearch} /></label>
      </div>
      <table>
        <thead>
          <tr>${COLUMNS.map(([column, key]) => this.renderHead(column, t(key)))}</tr>
        </thead>
        <tbody>${rows.map((entity) => this.renderRow(entity))}</tbody>
      </table>
      ${rows.length === 0 && this.search ? html`<p class="second">${t('entities.none', { text: this.search })}</p>` : nothing}
    </section>`;
  }

  private onSearch(event: InputEvent): void {
    this.search = (event.target as HTMLInputElement).value;
  }

  private renderHead(column: Column, name: string): TemplateResult {
    const own = this.sorting.column === column;
    const order = own ? (this.sorting.descending ? 'descending' : 'ascending') : nothing;
    return html`<th scope="col" class=${column} aria-sort=${order}>
      <button aria-label=${t('entities.sort', { column: name })} @click=${(): void => { this.sorting = { column, descending: own && !this.sorting.descending }; }}>${name}</button>
    </th>`;
  }

  private renderRow(entity: Entity): TemplateResult {
    const { formats } = this;
    const latest = this.values.get(entity.key) ?? null;
    const value = latest === null ? '' : latest.value === null ? t('entities.unavailable') : `${formats.reading(latest.value)}\u00a0${entity.unit}`;
    const incomplete = entity.complete_24h < 1 - 120 / 86_400;
    return html`<tr>
      <th scope="row"><span class="name" title=${entity.name}>${entity.name}</span><span class="id note" title=${entity.entity_id}>${entity.entity_id}</span></th>
      <td class=${latest?.value === null ? 'warn' : ''}>${value}</td>
      <td class="last second">${latest === null ? t('entities.never') : formats.ago(latest.ts_us, this.nowUs)}</td>
      <td class="rate second">${formats.number(entity.readings_per_min, 1)}</td>
      <td class=${incomplete ? 'incomplete' : 'second'}>${formats.completeness(entity.complete_24h)}</td>
    </tr>`;
  }
}
