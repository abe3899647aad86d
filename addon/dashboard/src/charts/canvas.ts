/**
 * A canvas for one chart: loads ECharts on first use, keeps to the size of its box, draws anew with the theme. What is out
 * of sight is drawn when it comes near.
 */
import { LitElement, css, html, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import { THEME_EVENT } from '../state/theme';
import type { ChartOption, ECharts } from './engine';
import { readPalette, type Palette } from './palette';

const NEAR = '200px 0px';

let kept: Palette | null = null;

/** The tokens change with the theme only; reading them makes the browser lay out the page. */
function palette(): Palette {
  return (kept ??= readPalette());
}

document.addEventListener(THEME_EVENT, () => {
  kept = null;
});

export type DrawChart = (palette: Palette, width: number, height: number) => ChartOption;

/** Loads ECharts and its fonts; called early, they arrive while the page waits for its data. */
export async function loadEngine(): Promise<typeof import('./engine')> {
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
  private width = 0;
  private height = 0;
  private near = false;
  /** Drawn as it should be, or out of sight and not yet. */
  private fresh = false;
  private readonly sizes = new ResizeObserver(([entry]) => {
    if (entry) this.resize(Math.round(entry.contentRect.width), Math.round(entry.contentRect.height));
  });
  private readonly sight = new IntersectionObserver(
    (entries) => {
      this.near = entries.at(-1)?.isIntersecting ?? false;
      if (this.near && !this.fresh) this.repaint();
    },
    { rootMargin: NEAR },
  );

  override connectedCallback(): void {
    super.connectedCallback();
    document.addEventListener(THEME_EVENT, this.repaint);
    this.sizes.observe(this);
    this.sight.observe(this);
    void this.start();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener(THEME_EVENT, this.repaint);
    this.sizes.disconnect();
    this.sight.disconnect();
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
    this.chart = engine.init(box, null, { renderer: 'canvas', width: this.width || 1, height: this.height || 1 });
    this.repaint();
  }

  private readonly repaint = (): void => {
    this.fresh = false;
    if (!this.chart || !this.draw || !this.near || this.width === 0) return;
    this.chart.setOption(this.draw(palette(), this.width, this.height), { notMerge: true });
    this.fresh = true;
  };

  private resize(width: number, height: number): void {
    if (width === this.width && height === this.height) return;
    [this.width, this.height] = [width, height];
    if (!this.chart || width === 0) return;
    this.chart.resize({ width, height });
    this.repaint();
  }
}
