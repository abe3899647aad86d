/** The first and last day of a range. Sends `range` with both; given backwards they are turned round by who reads them. */
import { LitElement, css, html, type TemplateResult } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import { isRange } from '../../domain/periods';
import { isDate } from '../../domain/time';
import { t } from '../../i18n';
import { base } from '../../styles/shared';

export class RangeEvent extends Event {
  constructor(
    readonly first: string,
    readonly last: string,
  ) {
    super('range', { bubbles: true, composed: true });
  }
}

@customElement('ed-range-inputs')
export class EdRangeInputs extends LitElement {
  static override styles = [
    base,
    css`
      .inputs {
        display: flex;
        align-items: center;
        gap: 8px;
      }
      input {
        min-width: 0;
        width: 140px;
        height: 40px;
        padding: 0 12px;
        border: 1px solid var(--line);
        border-radius: 8px;
        background: var(--card);
      }
      @media (max-width: 599.98px) {
        .inputs {
          justify-content: center;
        }
        input {
          flex: 1;
          width: 100px;
          max-width: 140px;
          height: 48px;
          padding: 0 6px;
        }
      }
    `,
  ];

  @property() first = '';
  @property() last = '';

  override render(): TemplateResult {
    return html`<div class="inputs">
      <input type="date" name="first" aria-label=${t('range.first')} .value=${this.first} @change=${this.onChange} />
      <span class="second">${t('range.to')}</span>
      <input type="date" name="last" aria-label=${t('range.last')} .value=${this.last} @change=${this.onChange} />
    </div>`;
  }

  private onChange(): void {
    const [first = '', last = ''] = [...this.renderRoot.querySelectorAll('input')].map(({ value }) => value);
    if (isDate(first) && isDate(last) && isRange(first, last)) this.dispatchEvent(new RangeEvent(first, last));
  }
}
