import { css, html, type TemplateResult } from 'lit';
import type { KeyNumber } from '../../domain/key-numbers';

export const keyNumberStyles = css`
  .key-numbers {
    display: grid;
    grid-auto-columns: minmax(0, 1fr);
    grid-auto-flow: column;
    gap: 16px;
  }
  .key-numbers .card {
    padding: 12px 20px;
  }
  .key-numbers .note {
    min-height: 16px;
  }
  .three {
    display: flex;
    gap: 16px;
  }
  .three > div {
    flex: 1;
    min-width: 0;
  }
  @media (max-width: 1023.98px) {
    .key-numbers {
      grid-template-columns: repeat(auto-fit, minmax(160px, 1fr));
      grid-auto-flow: row;
    }
  }
`;

const renderUnit = (unit: string): TemplateResult => html`<span class="unit">${unit}</span>`;

export function renderKeyCards(numbers: readonly KeyNumber[]): TemplateResult {
  return html`<div class="key-numbers">
    ${numbers.map(
      ({ name, value, unit, compared }) => html`<section class="card" aria-label=${name}>
        <div class="note">${name}</div>
        <div class="key-number">${value} ${renderUnit(unit)}</div>
        <div class="note">${compared}</div>
      </section>`,
    )}
  </div>`;
}

/** The first three, for the head of a card on narrow pages. */
export function renderKeyRow(numbers: readonly KeyNumber[]): TemplateResult {
  return html`<div class="three">
    ${numbers.slice(0, 3).map(
      ({ name, value, unit, change }) => html`<div role="group" aria-label=${name}>
        <div class="note">${name}</div>
        <div class="key-number">${value} ${renderUnit(unit)}</div>
        <div class="note">${change}</div>
      </div>`,
    )}
  </div>`;
}
