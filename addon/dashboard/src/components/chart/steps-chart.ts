/**
 * A steps chart that can be read: by pointer, by finger (a vertical drag scrolls the page), by arrow keys, or as a table.
 * Sends `read` with the place of the step that is read, or null.
 */
import { LitElement, css, html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import type { DrawChart } from '../../charts/canvas';
import '../../charts/canvas';
import { drawStepsChart, plotOf, type StepsModel } from '../../charts/steps';
import { base, reading, swatch, table } from '../../styles/shared';

const PANEL_WIDTH = 250;

export class ReadEvent extends Event {
  constructor(readonly index: number | null) {
    super('read', { bubbles: true, composed: true });
  }
}

@customElement('ed-steps-chart')
export class EdStepsChart extends LitElement {
  static override styles = [
    base,
    table,
    swatch,
    reading,
    css`
      :host {
        position: relative;
        outline: none;
      }
      .plot {
        position: relative;
        height: 100%;
        touch-action: pan-y;
        border-radius: 4px;
      }
      .cross {
        position: absolute;
        width: 1px;
        background: var(--ink);
        pointer-events: none;
      }
      .panel {
        position: absolute;
        top: 4px;
        z-index: 5;
        width: 250px;
        padding: 10px 14px;
        border: 1px solid var(--line);
        border-radius: 12px;
        background: var(--card);
        box-shadow: 0 2px 8px rgb(0 0 0 / 0.18);
        pointer-events: none;
      }
    `,
  ];

  @property({ attribute: false }) model: StepsModel | null = null;
  /** What the chart shows, in words. */
  @property() summary = '';
  /** The panel beside the crosshair; null where the parent shows the reading elsewhere. */
  @property({ attribute: false }) panel: ((index: number) => TemplateResult) | null = null;
  /** Steps that can be read; those after it have not happened. */
  @property({ type: Number }) known = 0;
  @state() private index: number | null = null;
  @state() private drawing: DrawChart | null = null;

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.index = null;
  }

  override willUpdate(changed: PropertyValues<this>): void {
    const model = this.model;
    if (!changed.has('model')) return;
    this.drawing =
      model &&
      ((context, palette, size): void => {
        drawStepsChart(context, model, palette, size);
      });
    if (model && this.index !== null && this.index >= model.count) this.index = null;
  }

  override render(): TemplateResult {
    return html`<div
      class="plot"
      tabindex="0"
      role="group"
      aria-roledescription="chart"
      aria-label=${this.summary}
      @pointermove=${this.onPointer}
      @pointerdown=${this.onPointer}
      @pointerleave=${this.onLeave}
      @keydown=${this.onKey}
      @blur=${this.clear}
    >
      <ed-canvas aria-hidden="true" .draw=${this.drawing}></ed-canvas>
      ${this.index === null ? nothing : this.renderReading(this.index)}
    </div>`;
  }

  private renderReading(index: number): TemplateResult | typeof nothing {
    if (!this.model) return nothing;
    const width = this.clientWidth;
    const plot = plotOf(this.model, width);
    const x = plot.left + ((width - plot.left - plot.right) * (index + 0.5)) / this.model.count;
    const panelLeft = x + 14 + PANEL_WIDTH > width ? Math.max(0, x - 14 - PANEL_WIDTH) : x + 14;
    return html`<div class="cross" .style=${`left:${x}px;top:${plot.top}px;bottom:${plot.bottom}px`}></div>
      ${this.panel ? html`<div class="panel" role="status" .style=${`left:${panelLeft}px`}>${this.panel(index)}</div>` : nothing}`;
  }

  private onPointer(event: PointerEvent): void {
    if (!this.model) return;
    const box = this.getBoundingClientRect();
    const plot = plotOf(this.model, box.width);
    const place = Math.floor(((event.clientX - box.left - plot.left) / (box.width - plot.left - plot.right)) * this.model.count);
    this.read(place);
  }

  private onLeave(event: PointerEvent): void {
    if (event.pointerType === 'mouse') this.clear();
  }

  private onKey(event: KeyboardEvent): void {
    const last = this.known - 1;
    const at = this.index;
    const places: Record<string, number> = { ArrowLeft: (at ?? last + 1) - 1, ArrowRight: (at ?? -1) + 1, Home: 0, End: last };
    const place = places[event.key];
    if (event.key === 'Escape') this.clear();
    else if (place === undefined) return;
    else this.read(Math.min(last, Math.max(0, place)));
    event.preventDefault();
    event.stopPropagation();
  }

  private readonly clear = (): void => {
    if (this.index === null) return;
    this.index = null;
    this.dispatchEvent(new ReadEvent(null));
  };

  private read(place: number): void {
    if (place < 0 || place >= this.known) {
      this.clear();
      return;
    }
    if (place === this.index) return;
    this.index = place;
    this.dispatchEvent(new ReadEvent(place));
  }
}
