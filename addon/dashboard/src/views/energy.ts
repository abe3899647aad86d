/** Energy: a day by source and use, its totals, who fed whom, compared with the day before. */
import { mdiCalendarQuestionOutline, mdiLanDisconnect } from '@mdi/js';
import { LitElement, css, html, nothing, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { fetchEnergy } from '../api/client';
import type { Energy, SiteStatus } from '../api/types';
import { StepsEvent } from '../components/energy/day-card';
import '../components/energy/day-card';
import '../components/energy/fed-card';
import { keyNumberStyles, renderKeyCards, renderKeyRow } from '../components/energy/key-numbers';
import { StepEvent } from '../components/energy/period-bar';
import '../components/energy/period-bar';
import '../components/energy/totals-card';
import '../components/message/message';
import '../components/message/shapes';
import { keepScale, type Scale } from '../domain/axis';
import { dayOf, highestOf, type Day } from '../domain/day';
import { fedOf } from '../domain/fed';
import { biggestUses, figuresOf, type Figures } from '../domain/figures';
import { keyNumbersOf, type KeyNumber } from '../domain/key-numbers';
import { MINUTE_US, addDays, dateOf, startOfDay } from '../domain/time';
import { t } from '../i18n';
import { StoreController } from '../state/controller';
import { Loader } from '../state/loader';
import type { Store } from '../state/store';
import { base, card, table } from '../styles/shared';

const REFRESH_EVERY_MS = 60_000;
const REFRESH_AT_MOST_EVERY_MS = 15_000;
const COMPARE_TO_US = 5 * MINUTE_US;
const AXIS_STEPS = 2;
const NARROW = '(max-width: 599.98px)';

interface Loaded {
  date: string;
  energy: Energy;
  was: Energy | null;
  /** Until when the day before counts, or null for all of it. */
  comparedUntilUs: number | null;
}

@customElement('ed-energy-view')
export class EdEnergyView extends LitElement {
  static override styles = [
    base,
    card,
    table,
    keyNumberStyles,
    css`
      .view {
        display: grid;
        gap: 16px;
      }
      .pair {
        display: grid;
        grid-template-columns: minmax(0, 1fr) 352px;
        gap: 16px;
      }
      @media (min-width: 1024px) {
        .view {
          grid-template-rows: auto auto minmax(min-content, 1fr) auto;
          min-height: calc(100dvh - 104px);
        }
      }
      @media (max-width: 1023.98px) {
        .pair {
          grid-template-columns: minmax(0, 1fr);
        }
      }
      @media (max-width: 599.98px) {
        .view,
        .pair {
          gap: 12px;
        }
        ed-period-bar {
          margin: -4px 0;
        }
      }
    `,
  ];

  @property({ attribute: false }) store!: Store;
  /** The day of the address; null is today. */
  @property({ attribute: false }) day: string | null = null;
  @state() private steps: 'hour' | '5min' = 'hour';
  @state() private narrow = matchMedia(NARROW).matches;

  private readonly loader = new Loader<Loaded>(this);
  private readonly media = matchMedia(NARROW);
  private loadedAt = 0;
  private statisticsNew = false;
  private scale: Scale | null = null;
  private scaleOf = '';
  private computed: { of: Loaded; narrow: boolean; day: Day; uses: string[] } | null = null;
  private unsubscribe: (() => void) | null = null;

  constructor() {
    super();
    new StoreController(this, () => this.store, ['state', 'clock']);
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.media.addEventListener('change', this.onMedia);
    addEventListener('keydown', this.onKey);
    this.unsubscribe = this.store.topics.subscribe('statistics', () => {
      this.statisticsNew = true;
    });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.media.removeEventListener('change', this.onMedia);
    removeEventListener('keydown', this.onKey);
    this.unsubscribe?.();
  }

  override willUpdate(): void {
    if (this.store.site) this.load(this.store.site);
    const loaded = this.loader.data;
    if (loaded && (this.computed?.of !== loaded || this.computed.narrow !== this.narrow)) this.compute(loaded);
  }

  override render(): TemplateResult {
    const { formats } = this.store;
    return html`<div class="view">
      <ed-period-bar
        name=${formats.dayLong(this.date)}
        below=${this.comparison()}
        ?last=${this.date >= this.today}
        @step=${this.onStep}
        @today=${this.onToday}
      ></ed-period-bar>
      ${this.renderBody()}
    </div>`;
  }

  private get today(): string {
    return dateOf(this.store.nowUs, this.store.formats.zone);
  }

  private get date(): string {
    return this.day ?? this.today;
  }

  private load(site: SiteStatus): void {
    const { date, steps } = this;
    const age = performance.now() - this.loadedAt;
    if (date === this.today && (age > REFRESH_EVERY_MS || (this.statisticsNew && age > REFRESH_AT_MOST_EVERY_MS))) this.loader.expire();
    this.loader.load(`${site.id} ${date} ${steps}`, (signal) => this.fetch(site.id, date, signal));
  }

  private async fetch(site: string, date: string, signal: AbortSignal): Promise<Loaded> {
    this.loadedAt = performance.now();
    this.statisticsNew = false;
    const { formats, nowUs } = this.store;
    const { zone } = formats;
    const startUs = startOfDay(date, zone);
    const endUs = startOfDay(addDays(date, 1), zone);
    const before = startOfDay(addDays(date, -1), zone);
    // A day that is not over is compared with the same part of the day before.
    const partial = nowUs < endUs ? before + Math.floor((nowUs - startUs) / COMPARE_TO_US) * COMPARE_TO_US : null;
    const wasEnd = partial ?? startUs;
    const [energy, was] = await Promise.all([
      fetchEnergy({ site, zone, startUs, endUs, resolution: this.steps }, signal),
      wasEnd > before ? fetchEnergy({ site, zone, startUs: before, endUs: wasEnd, resolution: 'total' }, signal) : null,
    ]);
    return { date, energy, was, comparedUntilUs: partial };
  }

  private compute(loaded: Loaded): void {
    const uses = biggestUses(loaded.energy);
    const day = dayOf(loaded.energy, uses, this.stepsOf(loaded), this.store.nowUs);
    const former = this.scaleOf === day.steps ? this.scale : null;
    this.scale = keepScale(former, highestOf(day), AXIS_STEPS);
    this.scaleOf = day.steps;
    this.computed = { of: loaded, narrow: this.narrow, day, uses };
  }

  private stepsOf({ energy }: Loaded): Day['steps'] {
    if (energy.resolution === 'hour') return 'hour';
    return this.narrow ? '15min' : '5min';
  }

  private was(loaded: Loaded): Figures | null {
    if (!loaded.was) return null;
    const figures = figuresOf(loaded.was, this.computed?.uses ?? []);
    return figures.known ? figures : null;
  }

  private comparison(): string {
    const loaded = this.loader.data;
    if (loaded?.date !== this.date || !loaded.was) return '';
    const day = this.store.formats.dayShort(addDays(loaded.date, -1));
    if (!this.was(loaded)) return t('period.notCompared', { day });
    if (loaded.comparedUntilUs === null) return t('period.compared', { day });
    return t('period.comparedUntil', { day, time: this.store.formats.time(loaded.comparedUntilUs) });
  }

  private renderBody(): TemplateResult | typeof nothing {
    const loaded = this.loader.data;
    if (!loaded || !this.computed) return this.renderWithout();
    const figures = figuresOf(loaded.energy, this.computed.uses);
    if (!figures.known) return this.renderNone(loaded.date);
    const { formats } = this.store;
    const was = this.was(loaded);
    const wasDay = formats.dayShort(addDays(loaded.date, -1));
    const numbers = keyNumbersOf(loaded.energy, figures, was, wasDay, formats);
    return html`${this.narrow ? nothing : renderKeyCards(numbers)}
      <div class="pair">
        ${this.renderDay(loaded, this.computed.day, figures, numbers)}
        <ed-totals-card .energy=${loaded.energy} .figures=${figures} .was=${was} day=${formats.dayShort(loaded.date)} wasDay=${wasDay} .formats=${formats}></ed-totals-card>
      </div>
      ${this.narrow ? this.renderAlso(numbers.slice(3)) : nothing}
      <ed-fed-card .fed=${fedOf(loaded.energy, figures)} .formats=${formats}></ed-fed-card>`;
  }

  private renderDay(loaded: Loaded, day: Day, figures: Figures, numbers: readonly KeyNumber[]): TemplateResult {
    const { formats } = this.store;
    const summary = t('energy.summary', { day: formats.dayLong(loaded.date), from: formats.kwh(figures.totalFrom), home: formats.kwh(figures.home) });
    const onlyHours = day.provenance.slice(0, day.known).every((kind, step) => kind === 'statistics' || (kind === 'missing' && !day.partly(step)));
    return html`<ed-day-card
      .day=${day}
      .scale=${this.scale}
      .formats=${formats}
      summary=${summary}
      ?fine=${!onlyHours || this.steps === '5min'}
      .keyNumbers=${renderKeyRow(numbers)}
      @steps=${this.onSteps}
    ></ed-day-card>`;
  }

  private renderAlso(numbers: readonly KeyNumber[]): TemplateResult | typeof nothing {
    if (numbers.length === 0) return nothing;
    return html`<section class="card" aria-labelledby="also">
      <div class="title"><h2 id="also">${t('energy.also')}</h2></div>
      <dl class="pairs">${numbers.map(({ name, value, unit }) => html`<dt>${name}</dt><dd>${value} ${unit}</dd>`)}</dl>
    </section>`;
  }

  private renderNone(date: string): TemplateResult {
    const since = this.store.site?.complete.statistics_since_us ?? this.store.site?.complete.live_since_us ?? null;
    const { formats } = this.store;
    const first = since === null ? null : dateOf(since, formats.zone);
    const text = first !== null && date < first ? t('energy.none.what', { day: formats.dayWords(first) }) : t('energy.none.plain');
    return html`<div class="card"><ed-message .icon=${mdiCalendarQuestionOutline} heading=${t('energy.none')} text=${text}></ed-message></div>`;
  }

  private renderWithout(): TemplateResult | typeof nothing {
    const { failure, slow } = this.loader;
    if (failure) {
      return html`<div class="card">
        <ed-message error .icon=${mdiLanDisconnect} heading=${t('error.server')} text=${t('error.server.what', { message: failure.message })} code=${failure.code} action=${t('error.again')} @action=${this.retry}></ed-message>
      </div>`;
    }
    return slow ? html`<div class="card"><ed-shapes .height=${420} .shapes=${SHAPES}></ed-shapes></div>` : nothing;
  }

  private readonly retry = (): void => {
    this.loader.failure = null;
    this.loader.expire();
    this.requestUpdate();
  };

  private go(day: string): void {
    if (day > this.today) return;
    this.dispatchEvent(new CustomEvent('day', { detail: day === this.today ? null : day }));
  }

  private onStep(event: StepEvent): void {
    this.go(addDays(this.date, event.by));
  }

  private onToday(): void {
    this.go(this.today);
  }

  private onSteps(event: StepsEvent): void {
    this.steps = event.steps;
  }

  private readonly onMedia = (event: MediaQueryListEvent): void => {
    this.narrow = event.matches;
  };

  private readonly onKey = (event: KeyboardEvent): void => {
    if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === 'ArrowLeft') this.go(addDays(this.date, -1));
    if (event.key === 'ArrowRight') this.go(addDays(this.date, 1));
  };
}

const SHAPES = [
  { x: 0, y: 0, w: 24, h: 16 },
  { x: 0, y: 40, w: 68, h: 300 },
  { x: 72, y: 40, w: 28, h: 300 },
  { x: 0, y: 364, w: 40, h: 16 },
];
