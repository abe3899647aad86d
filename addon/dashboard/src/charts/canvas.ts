/** A canvas for one chart: keeps to the size of its box, draws anew with the theme. */
import { LitElement, css, html, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, property, query } from 'lit/decorators.js';
import { THEME_EVENT } from '../state/theme';
import type { Size } from './drawing';
import { readPalette, type Palette } from './palette';

let kept: Palette | null = null;

/** The tokens change with the theme only; reading them makes the browser lay out the page. */
function palette(): Palette {
  return (kept ??= readPalette());
}

document.addEventListener(THEME_EVENT, () => {
  kept = null;
});

/** A canvas has no second chance: text that is drawn before its font has come stays as it is. */
let fonts: Promise<unknown> | null = null;
const loadFonts = (): Promise<unknown> => (fonts ??= Promise.all([document.fonts.load('12px Roboto'), document.fonts.load('500 12px Roboto')]));

export type DrawChart = (context: CanvasRenderingContext2D, palette: Palette, size: Size) => void;

@customElement('ed-canvas')
export class EdCanvas extends LitElement {
  static override styles = css`
    :host,
    canvas {
      display: block;
      width: 100%;
      height: 100%;
    }
    :host {
      position: relative;
    }
    canvas {
      position: absolute;
    }
  `;

  @property({ attribute: false }) draw: DrawChart | null = null;
  @query('canvas', true) private readonly canvas!: HTMLCanvasElement;

  private ready = false;
  private width = 0;
  private height = 0;
  private readonly sizes = new ResizeObserver(([entry]) => {
    if (entry) this.resize(Math.round(entry.contentRect.width), Math.round(entry.contentRect.height));
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
  }

  override render(): TemplateResult {
    return html`<canvas></canvas>`;
  }

  override updated(changed: PropertyValues<this>): void {
    if (changed.has('draw')) this.repaint();
  }

  private async start(): Promise<void> {
    await Promise.all([loadFonts(), this.updateComplete]);
    this.ready = true;
    this.repaint();
  }

  private readonly repaint = (): void => {
    if (!this.ready || !this.draw || this.width === 0) return;
    const { canvas, width, height } = this;
    const context = canvas.getContext('2d');
    if (!context) return;
    const ratio = devicePixelRatio;
    const [columns, rows] = [Math.round(width * ratio), Math.round(height * ratio)];
    // Setting the size makes a new canvas.
    if (canvas.width !== columns) canvas.width = columns;
    if (canvas.height !== rows) canvas.height = rows;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    this.draw(context, palette(), { width, height });
  };

  private resize(width: number, height: number): void {
    if (width === this.width && height === this.height) return;
    [this.width, this.height] = [width, height];
    this.repaint();
  }
}
