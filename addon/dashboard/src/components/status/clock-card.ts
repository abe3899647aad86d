/** Home Assistant's clock is behind what is recorded: both times, and a way to say that it is right. Sends `believe`. */
import { mdiClockAlertOutline } from '@mdi/js';
import { LitElement, css, html, type TemplateResult } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import type { Sync } from '../../api/types';
import type { Formats } from '../../domain/format';
import { dateOf } from '../../domain/time';
import { t } from '../../i18n';
import { base, button, card } from '../../styles/shared';
import { icon } from '../icon';

@customElement('ed-clock-card')
export class EdClockCard extends LitElement {
  static override styles = [
    base,
    card,
    button,
    css`
      .card {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 8px 16px;
      }
      .words {
        flex: 1;
        min-width: 240px;
      }
      h2 {
        font: 500 16px/24px Roboto, sans-serif;
      }
      svg {
        color: var(--warning);
      }
    `,
  ];

  @property({ attribute: false }) clock!: NonNullable<Sync['clock']>;
  @property({ attribute: false }) formats!: Formats;

  override render(): TemplateResult {
    const { clock } = this;
    const recorded = clock.live_end_us === null ? '' : this.instant(clock.live_end_us);
    return html`<section class="card" role="alert" aria-labelledby="title">
      ${icon(mdiClockAlertOutline)}
      <div class="words">
        <h2 id="title">${t('clock.title')}</h2>
        <p class="second">${t('clock.what', { home: this.instant(clock.home_assistant_us), recorded, server: this.instant(clock.server_us) })}</p>
      </div>
      <button class="button" @click=${this.believe}>${t('clock.believe')}</button>
    </section>`;
  }

  private instant(us: number): string {
    return `${this.formats.dayBrief(dateOf(us, this.formats.zone))} ${this.formats.time(us)}`;
  }

  private believe(): void {
    this.dispatchEvent(new Event('believe'));
  }
}
