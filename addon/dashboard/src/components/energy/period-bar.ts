/**
 * The period of a view: previous, name, next, and back to today; a swipe on it steps too.
 * Sends `step` with -1 or 1, and `today`. It knows no calendar: views of weeks, months and ranges use the same bar.
 */
import { mdiChevronLeft, mdiChevronRight } from '@mdi/js';
import { LitElement, css, html, nothing, type TemplateResult } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import { t } from '../../i18n';
import { base, button } from '../../styles/shared';
import { icon } from '../icon';

const SWIPE_PX = 48;

export class StepEvent extends Event {
  constructor(readonly by: -1 | 1) {
    super('step', { bubbles: true, composed: true });
  }
}

@customElement('ed-period-bar')
export class EdPeriodBar extends LitElement {
  static override styles = [
    base,
    button,
    css`
      .bar {
        display: flex;
        align-items: center;
        gap: 12px;
        min-height: 40px;
        touch-action: pan-y;
        user-select: none;
      }
      .period {
        display: flex;
        align-items: center;
        gap: 4px;
      }
      h2 {
        min-width: 252px;
        font: 500 20px/28px Roboto, sans-serif;
        text-align: center;
      }
      .below {
        margin-left: auto;
        color: var(--ink-2);
      }
      .under {
        display: none;
      }
      @media (max-width: 599.98px) {
        .bar {
          gap: 0;
        }
        .period {
          flex: 1;
        }
        .names {
          flex: 1;
          text-align: center;
        }
        h2 {
          min-width: 0;
          font: 500 16px/20px Roboto, sans-serif;
        }
        .below {
          display: none;
        }
        .under {
          display: block;
          font: 400 12px/16px Roboto, sans-serif;
          color: var(--ink-2);
        }
        .button {
          padding: 0 12px;
        }
      }
    `,
  ];

  @property() name = '';
  /** What the period is compared with, or until when it reaches. */
  @property() below = '';
  @property({ type: Boolean }) last = false;
  private startX: number | null = null;

  override render(): TemplateResult {
    return html`<div class="bar" role="group" aria-label=${t('period.label')} @pointerdown=${this.onDown} @pointerup=${this.onUp}>
      <div class="period">
        <button class="icon-button" aria-label=${t('period.previous')} @click=${this.previous}>${icon(mdiChevronLeft)}</button>
        <div class="names">
          <h2 aria-live="polite">${this.name}</h2>
          <div class="under">${this.below}</div>
        </div>
        <button
          class="icon-button"
          aria-label=${t('period.next')}
          aria-disabled=${this.last}
          title=${this.last ? t('period.nextDisabled') : nothing}
          @click=${this.next}
        >
          ${icon(mdiChevronRight)}
        </button>
      </div>
      ${this.last ? nothing : html`<button class="button" @click=${this.today}>${t('period.today')}</button>`}
      <span class="below">${this.below}</span>
    </div>`;
  }

  private previous(): void {
    this.dispatchEvent(new StepEvent(-1));
  }

  private next(): void {
    if (!this.last) this.dispatchEvent(new StepEvent(1));
  }

  private today(): void {
    this.dispatchEvent(new Event('today'));
  }

  private onDown(event: PointerEvent): void {
    this.startX = event.pointerType === 'mouse' ? null : event.clientX;
  }

  private onUp(event: PointerEvent): void {
    const moved = this.startX === null ? 0 : event.clientX - this.startX;
    this.startX = null;
    if (moved > SWIPE_PX) this.previous();
    else if (moved < -SWIPE_PX) this.next();
  }
}
