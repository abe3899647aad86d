/** Completeness by month and day, one drawing for all widths; the same as a table. Sends `day` when one is chosen. */
import { LitElement, css, html, nothing, svg, type PropertyValues, type SVGTemplateResult, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { besideDay, daysLacking, lackOf, type DayCell, type Lack, type MonthRow, type Place } from '../../domain/completeness';
import type { Formats } from '../../domain/format';
import { SECOND_US } from '../../domain/time';
import { t } from '../../i18n';
import { base, button, card, table } from '../../styles/shared';
import { HATCH, cellStyles, drawCell, wordsOf } from './calendar-cell';

interface Sizes {
  label: number;
  right: number;
  row: number;
  cell: number;
  gap: number;
  top: number;
  dot: number;
}

const WIDE: Sizes = { label: 76, right: 76, row: 17, cell: 13, gap: 3, top: 16, dot: 2.5 };
const SMALL: Sizes = { label: 34, right: 54, row: 15, cell: 11, gap: 1, top: 14, dot: 1.8 };
const SMALL_BELOW = 560;
const MARKED_DAYS = [1, 5, 10, 15, 20, 25, 31];
const DAYS = 31;
const DAY: DayCell = { date: '', kind: 'live', backfilled: false, missing_s: 0, ha_off_s: 0 };
/** Classes of a month's percentage. */
const SHARE = { missing: 'incomplete', off: 'partly-off', none: 'second-ink' } as const;

export class DayEvent extends Event {
  constructor(readonly date: string) {
    super('day');
  }
}

@customElement('ed-calendar')
export class EdCalendar extends LitElement {
  static override styles = [
    base,
    card,
    button,
    table,
    cellStyles,
    css`
      svg {
        display: block;
        font: 400 12px/16px Roboto, sans-serif;
      }
      text {
        fill: var(--ink);
      }
      .second-ink {
        fill: var(--ink-2);
      }
      .incomplete {
        fill: var(--error);
        font-weight: 500;
      }
      .partly-off {
        font-weight: 500;
      }
      .focused {
        fill: none;
        stroke: var(--ink);
        stroke-width: 2;
      }
      .legend {
        display: flex;
        flex-wrap: wrap;
        gap: 4px 20px;
        font: 400 12px/16px Roboto, sans-serif;
      }
      .legend span {
        display: inline-flex;
        align-items: center;
        gap: 6px;
      }
      .grid {
        min-height: 196px;
        cursor: pointer;
        border-radius: 4px;
      }
      .foot {
        height: 16px;
        margin: 4px 0 -8px;
      }
      .title button {
        color: var(--primary-text);
        font-weight: 500;
      }
      @media (max-width: 599.98px) {
        .legend {
          order: 3;
          width: 100%;
          gap: 4px 14px;
          margin: 0;
        }
        .title button {
          margin-left: auto;
        }
      }
    `,
  ];

  @property({ attribute: false }) months: readonly MonthRow[] = [];
  @property({ attribute: false }) formats!: Formats;
  @state() private width = 0;
  @state() private focused: Place | null = null;
  @state() private asTable = false;

  private readonly sizes = new ResizeObserver(([entry]) => {
    if (entry) this.width = Math.round(entry.contentRect.width);
  });

  override firstUpdated(): void {
    this.observe();
  }

  override updated(changed: PropertyValues): void {
    if (changed.has('asTable')) this.observe();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.sizes.disconnect();
  }

  override render(): TemplateResult {
    return html`<section class="card" aria-labelledby="title">
      <div class="title">
        <h2 id="title">${t('calendar.title')}</h2>
        <div class="legend">${this.renderLegend()}</div>
        <button class="text-button note" @click=${this.toggle}>${t(this.asTable ? 'table.hideCalendar' : 'table.show')}</button>
      </div>
      ${this.asTable ? this.renderTable() : this.renderDrawing()}
      <div class="foot note" role="status">${this.focused ? this.spoken() : nothing}</div>
    </section>`;
  }

  private observe(): void {
    this.sizes.disconnect();
    const box = this.renderRoot.querySelector('.grid');
    if (box) this.sizes.observe(box);
  }

  private toggle(): void {
    this.asTable = !this.asTable;
  }

  private renderLegend(): TemplateResult[] {
    const sign = (over: Partial<DayCell>): TemplateResult =>
      html`<svg width="16" height="12" aria-hidden="true">${HATCH} ${drawCell({ x: 0.5, y: 0.5, w: 15, h: 11, dot: 2.5 }, { ...DAY, ...over })}</svg>`;
    return [
      html`<span>${sign({})}${t('calendar.measured')}</span>`,
      html`<span>${sign({ backfilled: true })}${t('calendar.backfilled')}</span>`,
      html`<span>${sign({ kind: 'statistics' })}${t('calendar.statistics')}</span>`,
      html`<span>${sign({ missing_s: 1 })}${t('calendar.missing')}</span>`,
      html`<span>${sign({ missing_s: 1, ha_off_s: 1 })}${t('calendar.off')}</span>`,
    ];
  }

  private renderDrawing(): TemplateResult {
    return html`<div
      class="grid"
      tabindex="0"
      role="group"
      aria-roledescription="calendar"
      aria-label=${t('calendar.summary', { missing: daysLacking(this.months) })}
      @keydown=${this.onKey}
      @pointermove=${this.onPointer}
      @pointerdown=${this.onPointer}
      @click=${this.onClick}
      @pointerleave=${this.unfocus}
      @blur=${this.unfocus}
    >
      ${this.width > 0 ? this.renderSvg() : nothing}
    </div>`;
  }

  private get layout(): Sizes & { step: number } {
    const sizes = this.width < SMALL_BELOW ? SMALL : WIDE;
    return { ...sizes, step: (this.width - sizes.label - sizes.right) / DAYS };
  }

  private renderSvg(): TemplateResult {
    const { label, top, row, cell, gap, dot, step } = this.layout;
    const heads = MARKED_DAYS.map((day) => svg`<text class="second-ink" x=${label + (day - 0.5) * step - gap / 2} y="9" text-anchor="middle">${day}</text>`);
    const rows = this.months.map((month, i) => {
      const y = top + i * row;
      const cells = month.days.map((day, d) => drawCell({ x: label + d * step, y, w: step - gap, h: cell, dot }, day));
      const share = month.share === null ? '' : this.formats.completeness(month.share);
      return svg`<text x="0" y=${y + cell - 2}>${this.formats.month(month.date, this.width >= SMALL_BELOW)}</text>${cells}
        <text class=${SHARE[lackOf(month) ?? 'none']} x=${this.width} y=${y + cell - 2} text-anchor="end">${share}</text>`;
    });
    return html`<svg width=${this.width} height=${top + this.months.length * row} aria-hidden="true">${HATCH}${heads}${rows}${this.renderFocus()}</svg>`;
  }

  private renderFocus(): SVGTemplateResult | typeof nothing {
    if (!this.focused) return nothing;
    const { label, top, row, cell, gap, step } = this.layout;
    return svg`<rect class="focused" x=${label + this.focused.day * step - 1.5} y=${top + this.focused.month * row - 1.5} width=${step - gap + 3} height=${cell + 3} rx="3"></rect>`;
  }

  private dayAt(at: Place | null): DayCell | undefined {
    return at ? this.months[at.month]?.days[at.day] : undefined;
  }

  private spoken(): string {
    const day = this.dayAt(this.focused);
    return day && day.kind !== 'blank' ? t('calendar.day', { day: this.formats.dayMiddle(day.date), what: wordsOf(day, this.formats) }) : '';
  }

  private onPointer(event: PointerEvent): void {
    const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
    const { label, top, row, step } = this.layout;
    const at = { month: Math.floor((event.clientY - box.top - top) / row), day: Math.floor((event.clientX - box.left - label) / step) };
    this.focused = this.dayAt(at) ? at : null;
  }

  private onClick(event: PointerEvent): void {
    this.onPointer(event);
    this.choose();
  }

  private choose(): void {
    const day = this.dayAt(this.focused);
    if (day && day.kind !== 'blank') this.dispatchEvent(new DayEvent(day.date));
  }

  private readonly unfocus = (): void => {
    this.focused = null;
  };

  private onKey(event: KeyboardEvent): void {
    const by: Record<string, [number, number]> = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
    const move = by[event.key];
    if (event.key === 'Escape') this.focused = null;
    if (event.key === 'Enter' || event.key === ' ') this.choose();
    if (event.key === ' ') event.preventDefault();
    if (!move) return;
    event.preventDefault();
    event.stopPropagation();
    const last = { month: this.months.length - 1, day: (this.months.at(-1)?.days.length ?? 1) - 1 };
    const next = this.focused ? besideDay(this.months, this.focused, move) : last;
    if (this.dayAt(next)) this.focused = next;
  }

  private renderTable(): TemplateResult {
    return html`<table>
      <thead>
        <tr><th scope="col">${t('calendar.month')}</th><th scope="col">${t('calendar.complete')}</th><th scope="col">${t('calendar.days')}</th><th scope="col">${t('calendar.daysOff')}</th><th scope="col">${t('known.off')}</th></tr>
      </thead>
      <tbody>
        ${this.months.map((month) => {
          const days = (lack: Lack): string => month.days.filter((day) => lackOf(day) === lack).map((day) => String(Number(day.date.slice(8)))).join(', ');
          return html`<tr>
            <th scope="row">${this.formats.month(month.date, true)}</th>
            <td>${month.share === null ? '' : this.formats.completeness(month.share)}</td>
            <td>${days('missing')}</td>
            <td>${days('off')}</td>
            <td>${month.ha_off_s > 0 ? this.formats.duration(month.ha_off_s * SECOND_US) : nothing}</td>
          </tr>`;
        })}
      </tbody>
    </table>`;
  }
}
