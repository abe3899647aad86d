import { css, html, type TemplateResult } from 'lit';

export const factStyles = css`
  :host {
    display: grid;
  }
  .pairs > * {
    min-height: 28px;
    padding: 4px 0;
  }
  .unwell {
    color: var(--error);
  }
`;

/** Pairs of a word and a value. */
export function pairs(rows: readonly (readonly [string, string])[]): TemplateResult {
  return html`<dl class="pairs">${rows.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>`;
}
