/**
 * The period of a view: previous, name, next and back to the present; its kind, and what it is compared with.
 * A swipe on it steps too. Sends `step` with -1 or 1, `present`, `kind`, and what its menu and its dates send.
 */
import { mdiChevronLeft, mdiChevronRight } from '@mdi/js';
import { LitElement, html, nothing, type TemplateResult } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import { nextName, presentName, previousName } from '../../domain/period-names';
import { KINDS, type Compare, type Kind, type Period } from '../../domain/periods';
import { t } from '../../i18n';
import { base, button } from '../../styles/shared';
import { icon } from '../icon';
import './compare-menu';
import { periodBarStyles } from './period-bar-styles';
import './range-inputs';

const SWIPE_PX = 48;

export class StepEvent extends Event {
  constructor(readonly by: -1 | 1) {
    super('step', { bubbles: true, composed: true });
  }
}

export class KindEvent extends Event {
  constructor(readonly kind: Kind) {
    super('kind', { bubbles: true, composed: true });
  }
}

@customElement('ed-period-bar')
export class EdPeriodBar extends LitElement {
  static override styles = [base, button, periodBarStyles];

  @property({ attribute: false }) period!: Period;
  @property() name = '';
  /** Until when a period reaches that is not over. */
  @property() until = '';
  @property() compare: Compare = 'before';
  /** What the period is compared with, in words. */
  @property() compared = '';
  /** The next period has not begun. */
  @property({ type: Boolean }) last = false;
  /** The period is not the present one. */
  @property({ type: Boolean }) away = false;
  /** Nothing is waited for: what another kind needs is made, since dates are costly to make with a click. */
  @property({ type: Boolean }) ready = false;
  private startX: number | null = null;

  override render(): TemplateResult {
    const isRange = this.period.kind === 'range';
    return html`<div class="bar" role="group" aria-label=${t('period.label')} @pointerdown=${this.onDown} @pointerup=${this.onUp} @pointercancel=${this.onCancel}>
      <div class="period">
        <button class="icon-button" aria-label=${previousName(this.period)} @click=${this.previous}>${icon(mdiChevronLeft)}</button>
        <div class="names">
          <h2 class=${isRange ? 'spoken' : ''} aria-live="polite">${this.name}</h2>
          ${isRange || this.ready ? this.renderDates(isRange) : nothing}
        </div>
        <button
          class="icon-button"
          aria-label=${nextName(this.period)}
          aria-disabled=${this.last}
          title=${this.last ? t('period.nextDisabled', { name: nextName(this.period) }) : nothing}
          @click=${this.next}
        >
          ${icon(mdiChevronRight)}
        </button>
      </div>
      ${this.away && !isRange ? html`<button class="button present" @click=${this.present}>${presentName(this.period)}</button>` : nothing}
      ${this.until ? html`<span class="until second">${this.until}</span>` : nothing}
      <ed-compare-menu .period=${this.period} compare=${this.compare} text=${this.compared}></ed-compare-menu>
      <div class="kinds" role="group" aria-label=${t('period.kind')}>${KINDS.map((kind) => this.renderKind(kind))}</div>
    </div>`;
  }

  private renderDates(seen: boolean): TemplateResult {
    const { first, last } = this.period;
    return html`<ed-range-inputs class=${seen ? '' : 'unseen'} first=${seen ? first : ''} last=${seen ? last : ''}></ed-range-inputs>`;
  }

  private renderKind(kind: Kind): TemplateResult {
    const choose = (): void => void this.dispatchEvent(new KindEvent(kind));
    return html`<button aria-pressed=${kind === this.period.kind} @click=${choose}>${t(`period.kind.${kind}`)}</button>`;
  }

  private previous(): void {
    this.dispatchEvent(new StepEvent(-1));
  }

  private next(): void {
    if (!this.last) this.dispatchEvent(new StepEvent(1));
  }

  private present(): void {
    this.dispatchEvent(new Event('present'));
  }

  private onDown(event: PointerEvent): void {
    this.startX = event.pointerType === 'mouse' ? null : event.clientX;
  }

  private onCancel(): void {
    this.startX = null;
  }

  private onUp(event: PointerEvent): void {
    const moved = this.startX === null ? 0 : event.clientX - this.startX;
    this.startX = null;
    if (moved > SWIPE_PX) this.previous();
    else if (moved < -SWIPE_PX) this.next();
  }
}
