/** A canvas for one chart: loads ECharts on first use, keeps to the size of its box, draws anew with the theme. */
import { LitElement, css, html, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import { THEME_EVENT } from '../state/theme';
import type { ChartOption, ECharts } from './engine';
import { readPalette, type Palette } from './palette';

export type DrawChart = (palette: Palette, width: number, height: number) => ChartOption;

async function loadEngine(): Promise<typeof import('./engine')> {
  const [engine] = await Promise.all([import('./engine'), document.fonts.load('12px Roboto'), document.fonts.load('500 12px Roboto')]);
  return engine;
}

@customElement('ed-canvas')
export class EdCanvas extends LitElement {
  static override styles = css`
    :host,
    div {
      display: block;
      width: 100%;
      height: 100%;
    }
  `;

  @property({ attribute: false }) draw: DrawChart | null = null;

  private chart: ECharts | null = null;
  private readonly sizes = new ResizeObserver(() => {
    this.resize();
  });

  override connectedCallback(): void {
    super.connectedCallback();
    document.addEventListener(THEME_EVENT, this.repaint);
    this.sizes.observe(this);
    void this.start();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener(THEME_EVENT, this.repaint);
    this.sizes.disconnect();
    this.chart?.dispose();
    this.chart = null;
  }

  override render(): TemplateResult {
    return html`<div></div>`;
  }

  override updated(changed: PropertyValues<this>): void {
    if (changed.has('draw')) this.repaint();
  }

  private async start(): Promise<void> {
    const engine = await loadEngine();
    await this.updateComplete;
    const box = this.renderRoot.querySelector('div');
    if (!this.isConnected || !box || this.chart) return;
    this.chart = engine.init(box, null, { renderer: 'canvas', width: this.clientWidth || 1, height: this.clientHeight || 1 });
    this.repaint();
  }

  private readonly repaint = (): void => {
    if (this.chart && this.draw && this.clientWidth > 0) {
      this.chart.setOption(this.draw(readPalette(), this.clientWidth, this.clientHeight), { notMerge: true });
    }
  };

  private resize(): void {
    if (!this.chart || this.clientWidth === 0) return;
    this.chart.resize({ width: this.clientWidth, height: this.clientHeight });
    this.repaint();
  }
}
