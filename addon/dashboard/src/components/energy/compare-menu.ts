/** A menu button that says what a period is compared with, and lets another comparison be chosen. Sends `compare`. */
import { mdiChevronDown, mdiCompareHorizontal } from '@mdi/js';
import { LitElement, css, html, nothing, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { compareName } from '../../domain/period-names';
import { comparesOf, type Compare, type Period } from '../../domain/periods';
import { base } from '../../styles/shared';
import { icon } from '../icon';

export class CompareEvent extends Event {
  constructor(readonly compare: Compare) {
    super('compare', { bubbles: true, composed: true });
  }
}

const STEPS: Record<string, number> = { ArrowDown: 1, ArrowUp: -1 };

@customElement('ed-compare-menu')
export class EdCompareMenu extends LitElement {
  static override styles = [
    base,
    css`
      :host {
        position: relative;
      }
      .opener {
        display: flex;
        align-items: center;
        gap: 8px;
        height: 40px;
        max-width: 100%;
        padding: 0 16px;
        border: 1px solid var(--line);
        border-radius: 20px;
        background: var(--card);
        font-weight: 500;
      }
      .opener:hover,
      [role='menuitemradio']:hover {
        background: var(--track);
      }
      .text {
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      [role='menu'] {
        position: absolute;
        top: 44px;
        right: 0;
        z-index: 20;
        min-width: 200px;
        padding: 8px 0;
        border: 1px solid var(--line);
        border-radius: 12px;
        background: var(--card);
        box-shadow: 0 2px 8px rgb(0 0 0 / 0.18);
      }
      [role='menuitemradio'] {
        display: block;
        width: 100%;
        min-height: 40px;
        padding: 0 20px;
        text-align: left;
        white-space: nowrap;
      }
      [role='menuitemradio'][aria-checked='true'] {
        background: var(--tint);
        color: var(--primary-text);
        font-weight: 500;
      }
      [role='menuitemradio']:focus-visible {
        outline-offset: -2px;
      }
      @media (max-width: 599.98px) {
        .opener {
          justify-content: center;
          gap: 4px;
          width: 100%;
          height: 44px;
          padding: 0 4px;
          border: 0;
          background: none;
          color: var(--ink-2);
          font: 400 12px/16px Roboto, sans-serif;
        }
        .opener svg:first-child {
          display: none;
        }
        [role='menu'] {
          top: 44px;
          right: auto;
          left: 50%;
          transform: translateX(-50%);
        }
        [role='menuitemradio'] {
          min-height: 48px;
        }
      }
    `,
  ];

  @property({ attribute: false }) period!: Period;
  @property() compare: Compare = 'before';
  /** What is compared with now, in words. */
  @property() text = '';
  @state() private open = false;

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.close();
  }

  override render(): TemplateResult {
    return html`<button class="opener" aria-haspopup="menu" aria-expanded=${this.open} @click=${this.toggle} @keydown=${this.onOpenerKey}>
        ${icon(mdiCompareHorizontal, 20)}<span class="text">${this.text || compareName(this.compare, this.period)}</span>${icon(mdiChevronDown, 16)}
      </button>
      ${this.open ? this.renderMenu() : nothing}`;
  }

  private renderMenu(): TemplateResult {
    return html`<div role="menu" @keydown=${this.onKey} @focusout=${this.onFocusOut}>
      ${comparesOf(this.period.kind).map(
        (compare) => html`<button role="menuitemradio" tabindex="-1" aria-checked=${compare === this.compare} @click=${(): void => {
          this.choose(compare);
        }}>${compareName(compare, this.period)}</button>`,
      )}
    </div>`;
  }

  private get items(): HTMLElement[] {
    return [...this.renderRoot.querySelectorAll<HTMLElement>('[role="menuitemradio"]')];
  }

  private toggle(): void {
    if (this.open) this.close();
    else void this.show();
  }

  private async show(): Promise<void> {
    this.open = true;
    await this.updateComplete;
    const { items } = this;
    (items.find((item) => item.ariaChecked === 'true') ?? items[0])?.focus();
  }

  private close(): void {
    this.open = false;
  }

  private choose(compare: Compare): void {
    this.dispatchEvent(new CompareEvent(compare));
    this.leave();
  }

  /** Closes, with the focus back on the button. */
  private leave(): void {
    this.close();
    this.renderRoot.querySelector<HTMLElement>('.opener')?.focus();
  }

  private onOpenerKey(event: KeyboardEvent): void {
    if (event.key !== 'ArrowDown' || this.open) return;
    event.preventDefault();
    void this.show();
  }

  private onKey(event: KeyboardEvent): void {
    const { items } = this;
    const step = STEPS[event.key];
    if (event.key === 'Escape') this.leave();
    else if (step !== undefined) {
      const at = items.findIndex((item) => item.matches(':focus'));
      items[(at + step + items.length) % items.length]?.focus();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  private onFocusOut(event: FocusEvent): void {
    const next = event.relatedTarget;
    const inside = next instanceof Node && this.renderRoot.contains(next);
    if (!inside) this.close();
  }
}
