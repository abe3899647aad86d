/** Backfills by hand: a form for one, and the jobs with how far they are. Sends `backfill` and `cancel-backfill`. */
import { LitElement, css, html, nothing, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import type { BackfillJob, Entity } from '../../api/types';
import type { Formats } from '../../domain/format';
import { shareOf } from '../../domain/status-words';
import { dateOf, isDate } from '../../domain/time';
import { t, tn } from '../../i18n';
import { base, button, card } from '../../styles/shared';
import { trackStyles } from './track-styles';

const SHOWN_JOBS = 3;

export class BackfillEvent extends Event {
  constructor(
    readonly first: string,
    readonly last: string,
    /** Null for all Entities. */
    readonly keys: readonly string[] | null,
  ) {
    super('backfill');
  }
}

export class CancelBackfillEvent extends Event {
  constructor(readonly id: string) {
    super('cancel-backfill');
  }
}

@customElement('ed-backfill-card')
export class EdBackfillCard extends LitElement {
  static override styles = [
    base,
    card,
    button,
    trackStyles,
    css`
      :host {
        display: grid;
      }
      .title {
        align-items: center;
      }
      form {
        display: grid;
        grid-template-columns: 1fr 1fr;
        gap: 12px;
        margin: 8px 0 12px;
      }
      .whole {
        grid-column: 1 / -1;
      }
      label {
        display: grid;
        gap: 4px;
        font: 400 12px/16px Roboto, sans-serif;
        color: var(--ink-2);
      }
      input,
      select {
        min-width: 0;
        height: 44px;
        padding: 0 12px;
        border: 1px solid var(--line);
        border-radius: 8px;
        background: var(--card);
        color: var(--ink);
        font: 400 14px/20px Roboto, sans-serif;
      }
      select[multiple] {
        height: 132px;
        padding: 4px;
      }
      .failed {
        color: var(--error);
      }
      li {
        padding: 8px 0;
        border-top: 1px solid var(--line);
      }
      .head {
        display: flex;
        justify-content: space-between;
        gap: 16px;
        font-weight: 500;
      }
      .track {
        margin: 6px 0;
      }
      .foot {
        display: flex;
        justify-content: space-between;
        gap: 16px;
      }
    `,
  ];

  @property({ attribute: false }) jobs: readonly BackfillJob[] = [];
  @property({ attribute: false }) entities: readonly Entity[] = [];
  @property() today = '';
  /** Why the last one was not begun. */
  @property() failure = '';
  @property({ attribute: false }) formats!: Formats;
  @state() private open = false;

  override render(): TemplateResult {
    return html`<section class="card" aria-labelledby="title">
      <div class="title">
        <h2 id="title">${t('backfill.title')}</h2>
        <button class="button" aria-expanded=${this.open} @click=${this.toggle}>${t(this.open ? 'backfill.close' : 'backfill.now')}</button>
      </div>
      ${this.open ? this.renderForm() : nothing} ${this.failure ? html`<p class="failed" role="alert">${t('backfill.refused', { message: this.failure })}</p>` : nothing}
      ${this.jobs.length === 0 && !this.open ? html`<p class="second">${t('backfill.what')} ${t('backfill.none')}</p>` : nothing}
      <ul>
        ${this.jobs.slice(0, SHOWN_JOBS).map((job) => this.renderJob(job))}
      </ul>
    </section>`;
  }

  private toggle(): void {
    this.open = !this.open;
  }

  private renderForm(): TemplateResult {
    return html`<p class="second">${t('backfill.what')}</p>
      <form @submit=${this.begin}>
        <label>${t('backfill.start')}<input type="date" name="first" required max=${this.today} .value=${this.today} /></label>
        <label>${t('backfill.end')}<input type="date" name="last" required max=${this.today} .value=${this.today} /></label>
        <label class="whole"
          >${t('backfill.entities')}
          <select name="keys" multiple>
            <option value="" selected>${t('backfill.all')}</option>
            ${this.entities.map(({ key, name }) => html`<option value=${key}>${name}</option>`)}
          </select>
        </label>
        <button class="button whole" type="submit">${t('backfill.begin')}</button>
      </form>`;
  }

  private begin(event: SubmitEvent): void {
    event.preventDefault();
    const form = new FormData(event.target as HTMLFormElement);
    const text = (name: string): string => {
      const value = form.get(name);
      return typeof value === 'string' ? value : '';
    };
    const [first = '', last = ''] = [text('first'), text('last')].sort();
    if (!isDate(first) || !isDate(last)) return;
    const keys = form.getAll('keys').filter((key): key is string => typeof key === 'string' && key !== '');
    this.dispatchEvent(new BackfillEvent(first, last, keys.length > 0 && !form.getAll('keys').includes('') ? keys : null));
    this.open = false;
  }

  private renderJob(job: BackfillJob): TemplateResult {
    const { formats } = this;
    const days = [job.start_us, job.end_us - 1].map((us) => dateOf(us, formats.zone));
    const [first = '', last = ''] = days;
    const span = first === last ? formats.dayBrief(first) : formats.days(first, last, { year: true, short: true });
    const share = shareOf(job.settled_s, job.total_s);
    const open = job.state === 'queued' || job.state === 'running';
    const name = t('backfill.job', { span, entities: tn('gap.entities', job.keys.length) });
    return html`<li data-job=${job.id}>
      <div class="head"><span>${name}</span><span class="second">${open ? formats.percent(share) : t(`backfill.state.${job.state}`)}</span></div>
      ${open ? html`<div class="track" role="progressbar" aria-label=${name} aria-valuenow=${Math.floor(share * 100)}><i .style=${`width:${share * 100}%`}></i></div>` : nothing}
      <div class="foot second">
        <span>${open ? `${t(`backfill.state.${job.state}`)}, ` : nothing}${t('log.rows', { rows: formats.count(job.rows) })}</span>
        ${open
          ? html`<button class="text-button" @click=${(): void => {
              this.dispatchEvent(new CancelBackfillEvent(job.id));
            }}>${t('backfill.cancel')}</button>`
          : nothing}
      </div>
    </li>`;
  }
}
