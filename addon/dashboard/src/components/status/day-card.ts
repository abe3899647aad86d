/** A day of the calendar: its hours, and how complete each Entity is. Sends `close`. */
import { mdiClose } from '@mdi/js';
import { LitElement, css, html, nothing, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { lackingWords } from '../../domain/completeness';
import type { DayEntity, DayHour, DayKnown } from '../../domain/day';
import type { Formats } from '../../domain/format';
import { SECOND_US } from '../../domain/time';
import { t } from '../../i18n';
import { base, button, card, table } from '../../styles/shared';
import { icon } from '../icon';

const SHOWN = 8;
const EVERY_HOURS = 6;
const WORDS = { live: 'known.measured', backfilled: 'known.backfilled', statistics: 'known.statistics', missing: 'known.missing', off: 'known.off', ahead: 'row.none' } as const;
const OF_ENTITY = { ...WORDS, missing: 'known.partly', off: 'day.exceptOff' } as const;

@customElement('ed-day-card')
export class EdDayCard extends LitElement {
  static override styles = [
    base,
    card,
    button,
    table,
    css`
      .title {
        align-items: center;
      }
      .icon-button {
        margin: -8px -8px -8px auto;
      }
      .hours {
        display: flex;
        gap: 2px;
        margin: 4px 0;
      }
      .hours li {
        flex: 1;
        height: 20px;
        border-radius: 3px;
        background: var(--track);
      }
      .hours .live {
        background: var(--measured);
      }
      .hours .backfilled {
        background: radial-gradient(circle, var(--ink) 0 2.5px, transparent 3px), var(--measured);
      }
      .hours .statistics {
        background: linear-gradient(var(--primary-text), var(--primary-text)) 0 50% / 100% 1px no-repeat, var(--statistics);
      }
      .hours .missing {
        border: 1px solid var(--error);
        background: repeating-linear-gradient(135deg, var(--error) 0 1.5px, transparent 1.5px 5px);
      }
      .hours .off {
        border: 1px solid var(--ink-2);
        background: repeating-linear-gradient(90deg, var(--ink-2) 0 1px, transparent 1px 4px);
      }
      .scale {
        display: flex;
        justify-content: space-between;
        margin-bottom: 8px;
      }
      th[scope='row'] {
        overflow: hidden;
        max-width: 0;
        width: 60%;
        text-overflow: ellipsis;
      }
      .incomplete {
        color: var(--error);
        font-weight: 500;
      }
      .foot {
        display: flex;
        gap: 24px;
        margin-top: 8px;
      }
    `,
  ];

  @property({ attribute: false }) day!: DayKnown;
  @property({ attribute: false }) formats!: Formats;
  @state() private all = false;

  override render(): TemplateResult {
    const { day, formats } = this;
    const lacking = day.entities.filter(({ missing_s }) => missing_s >= 1);
    const list = this.all ? day.entities : lacking.slice(0, SHOWN);
    return html`<section class="card" aria-labelledby="title">
      <div class="title">
        <h2 id="title" tabindex="-1">${formats.dayLong(day.date)}</h2>
        <button class="icon-button" aria-label=${t('day.close')} @click=${this.close}>${icon(mdiClose, 20)}</button>
      </div>
      <ul class="hours" aria-label=${t('day.hours')}>
        ${day.hours.map((hour) => html`<li class=${hour.kind} title=${this.hourWords(hour)}><span class="spoken">${this.hourWords(hour)}</span></li>`)}
      </ul>
      <div class="scale note" aria-hidden="true">${day.hours.filter((_, i) => i % EVERY_HOURS === 0).map(({ start_us }) => html`<span>${formats.tick(start_us)}</span>`)}<span>${formats.endOfDay}</span></div>
      ${day.ha_off_s >= 1 ? html`<p class="second">${t('day.off', { length: formats.duration(day.ha_off_s * SECOND_US) })}</p>` : nothing}
      ${lacking.length === 0 ? html`<p class="second">${t('day.all')}</p>` : nothing} ${list.length > 0 ? this.renderTable(list) : nothing}
      <div class="foot">
        ${list.length < day.entities.length ? html`<button class="text-button" @click=${this.showAll}>${t('day.more', { count: day.entities.length })}</button>` : nothing}
        <a href="energy?day=${day.date}">${t('day.energy')}</a>
      </div>
    </section>`;
  }

  override firstUpdated(): void {
    this.renderRoot.querySelector('h2')?.focus({ preventScroll: true });
  }

  private hourWords(hour: DayHour): string {
    const what = hour.kind === 'missing' || hour.kind === 'off' ? lackingWords(hour, this.formats) : t(WORDS[hour.kind]);
    return t('day.hour', { hour: this.formats.time(hour.start_us), what });
  }

  private renderTable(list: readonly DayEntity[]): TemplateResult {
    const { formats } = this;
    return html`<table>
      <thead>
        <tr><th scope="col">${t('day.entity')}</th><th scope="col">${t('day.how')}</th><th scope="col">${t('day.missing')}</th><th scope="col">${t('day.complete')}</th></tr>
      </thead>
      <tbody>
        ${list.map(
          ({ name, kind, missing_s, share }) => html`<tr>
            <th scope="row" title=${name}>${name}</th>
            <td class="second">${t(OF_ENTITY[kind])}</td>
            <td>${missing_s >= 1 ? formats.duration(missing_s * SECOND_US) : nothing}</td>
            <td class=${kind === 'missing' ? 'incomplete' : ''}>${formats.completeness(share)}</td>
          </tr>`,
        )}
      </tbody>
    </table>`;
  }

  private showAll(): void {
    this.all = true;
  }

  private close(): void {
    this.dispatchEvent(new Event('close'));
  }
}
