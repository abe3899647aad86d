/** A card's whole content when there is nothing to show: what happened, what is safe, what to do. */
import { LitElement, css, html, nothing, type TemplateResult } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import { base, button } from '../../styles/shared';
import { icon } from '../icon';

@customElement('ed-message')
export class EdMessage extends LitElement {
  static override styles = [
    base,
    button,
    css`
      :host {
        display: grid;
        place-items: center;
        min-height: 280px;
        padding: 24px 20px;
        text-align: center;
      }
      .box {
        display: flex;
        flex-direction: column;
        align-items: center;
        gap: 8px;
        max-width: 420px;
      }
      .disc {
        display: grid;
        place-items: center;
        width: 56px;
        height: 56px;
        margin-bottom: 4px;
        border-radius: 50%;
        background: color-mix(in srgb, var(--c) 20%, var(--card));
        color: var(--c);
        --c: var(--primary-text);
      }
      .error {
        --c: var(--error);
      }
      h2 {
        font: 500 16px/24px Roboto, sans-serif;
      }
      .actions:empty {
        display: none;
      }
      .actions {
        margin-top: 8px;
      }
    `,
  ];

  @property() icon = '';
  @property() heading = '';
  @property() text = '';
  /** The word on the button; without one there is no button. */
  @property() action = '';
  /** Small print: the error's code. */
  @property() code = '';
  @property({ type: Boolean }) error = false;

  override render(): TemplateResult {
    return html`<div class="box" role=${this.error ? 'alert' : 'group'} aria-label=${this.heading}>
      <span class="disc ${this.error ? 'error' : ''}">${icon(this.icon)}</span>
      <h2>${this.heading}</h2>
      <p class="second">${this.text}</p>
      <div class="actions">${this.action ? html`<button class="button" @click=${this.act}>${this.action}</button>` : nothing}</div>
      ${this.code ? html`<p class="note">${this.code}</p>` : nothing}
    </div>`;
  }

  private act(): void {
    this.dispatchEvent(new Event('action'));
  }
}
