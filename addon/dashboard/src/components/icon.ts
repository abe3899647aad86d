import { svg, html, type TemplateResult } from 'lit';

/** An icon of the Material Design set; it never stands without words, so it is hidden from assistive technology. */
export function icon(path: string, size = 24): TemplateResult {
  return html`<svg class="icon" viewBox="0 0 24 24" width=${size} height=${size} aria-hidden="true">${svg`<path d=${path}></path>`}</svg>`;
}
