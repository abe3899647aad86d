/** Grey shapes in the places of what is loading; they do not move. */
import { LitElement, css, html, type TemplateResult } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import { t } from '../../i18n';

export interface Shape {
  /** Percent of the box, except the height in pixels. */
  x: number;
  y: number;
  w: number;
  h: number;
}

@customElement('ed-shapes')
export class EdShapes extends LitElement {
  static override styles = css`
    :host {
      position: relative;
      display: block;
    }
    i {
      position: absolute;
      border-radius: 8px;
      background: var(--track);
    }
  `;

  @property({ attribute: false }) shapes: readonly Shape[] = [];
  @property({ type: Number }) height = 200;

  override render(): TemplateResult {
    return html`<div role="status" aria-label=${t('loading')} .style=${`height:${this.height}px`}>
      ${this.shapes.map(({ x, y, w, h }) => html`<i .style=${`left:${x}%;top:${y}px;width:${w}%;height:${h}px`}></i>`)}
    </div>`;
  }
}
