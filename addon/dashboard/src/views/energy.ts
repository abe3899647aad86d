/** Energy: a period by source and use, its totals, who fed whom, compared with another period. */
import { mdiCalendarQuestionOutline, mdiLanDisconnect } from '@mdi/js';
import { LitElement, css, html, nothing, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { guard } from 'lit/directives/guard.js';
import type { SiteStatus } from '../api/types';
import type { CompareEvent } from '../components/energy/compare-menu';
import '../components/energy/devices-card';
import '../components/energy/fed-card';
import { keyNumberStyles, renderKeyCards } from '../components/energy/key-numbers';
import type { KindEvent, StepEvent } from '../components/energy/period-bar';
import '../components/energy/period-bar';
import type { RangeEvent } from '../components/energy/range-inputs';
import type { StepsEvent } from '../components/energy/steps-card';
import '../components/energy/steps-card';
import '../components/energy/totals-card';
import '../components/energy/volume-card';
import '../components/message/message';
import '../components/message/shapes';
import { keepScale, type Scale } from '../domain/axis';
import { notesOf } from '../domain/notes';
import { comparedName, periodBrief, periodName, presentName } from '../domain/period-names';
import { KINDS, PRESENT_DAY, choose, isPresent, neighbour, periodAt, periodOf, spanOf, withKind, type Chosen, type Period } from '../domain/periods';
import { onlyHours, type StepLength } from '../domain/steps';
import { dateOf } from '../domain/time';
import { t } from '../i18n';
import { StoreController } from '../state/controller';
import { Loader } from '../state/loader';
import { whenPainted } from '../state/painted';
import { PeriodCache, isLight, type Kept } from '../state/period-cache';
import { fetchPeriod, nameOf, type Asked, type PeriodEnergy } from '../state/period-energy';
import { ShownPeriods, isCut, type ShownPeriod, type Showing } from '../state/shown-period';
import type { Store } from '../state/store';
import { base, card, table } from '../styles/shared';

const REFRESH_EVERY_MS = 60_000;
const REFRESH_AT_MOST_EVERY_MS = 15_000;
const AXIS_STEPS = 2;
const NARROW = '(max-width: 599.98px)';

export class ChosenEvent extends Event {
  constructor(readonly chosen: Chosen) {
    super('chosen');
  }
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
      .volumes {
        display: grid;
        grid-template-columns: repeat(auto-fit, minmax(min(100%, 320px), 1fr));
        gap: 16px;
      }
      @media (min-width: 1024px) {
        .view {
          grid-template-rows: auto auto minmax(clamp(396px, calc(100dvh - 492px), 640px), auto);
        }
      }
      @media (max-width: 1023.98px) {
        .pair {
          grid-template-columns: minmax(0, 1fr);
        }
      }
      @media (max-width: 599.98px) {
        .view,
        .pair,
        .volumes {
          gap: 12px;
        }
        ed-period-bar {
          margin: -4px 0;
        }
      }
    `,
  ];

  @property({ attribute: false }) store!: Store;
  /** The period of the address. */
  @property({ attribute: false }) chosen: Chosen = PRESENT_DAY;
  @state() private fine = true;
  @state() private narrow = matchMedia(NARROW).matches;

  private readonly loader = new Loader<PeriodEnergy>(this);
  private readonly media = matchMedia(NARROW);
  private loadedAt = 0;
  private statisticsNew = false;
  private readonly cache = new PeriodCache(
    async (asked, signal) => {
      const found = await fetchPeriod(asked, this.store.nowUs, signal);
      this.shownOf(found);
      return found;
    },
    () => this.store.nowUs,
  );
  private readonly periods = new ShownPeriods();
  private scale: Scale | null = null;
  private scaleOf = '';
  private shown: ShownPeriod | null = null;
  /** What is shown below the chart: it follows once the chart is on the screen. */
  private below: ShownPeriod | null = null;
  private unsubscribe: (() => void) | null = null;

  constructor() {
    super();
    new StoreController(this, () => this.store, ['state', 'clock']);
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.media.addEventListener('change', this.onMedia);
    addEventListener('keydown', this.onKey);
    this.unsubscribe = this.store.topics.subscribe('statistics', ({ start_us, end_us }) => {
      this.cache.forget(start_us, end_us);
      const spans = [spanOf(this.period, this.store.formats.zone), ...(this.shown?.of.was ? [this.shown.of.was.span] : [])];
      if (spans.some((span) => span.startUs < end_us && start_us < span.endUs)) this.statisticsNew = true;
    });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.media.removeEventListener('change', this.onMedia);
    removeEventListener('keydown', this.onKey);
    this.cache.rest();
    this.unsubscribe?.();
  }

  override willUpdate(): void {
    if (this.store.site && !this.ahead) this.load(this.store.site);
    const shown = this.loader.data && this.shownOf(this.loader.data);
    if (shown && shown !== this.shown) this.show(shown);
  }

  override updated(): void {
    if (this.below === this.shown) return;
    whenPainted(() => {
      if (this.below === this.shown) return;
      this.below = this.shown;
      this.requestUpdate();
    });
  }

  override render(): TemplateResult {
    const { period, today } = this;
    return html`<div class="view">
      <ed-period-bar
        .period=${period}
        name=${periodName(period, this.store.formats)}
        until=${this.until()}
        compare=${this.chosen.compare}
        compared=${this.comparison()}
        ?last=${neighbour(period, 1).first > today}
        ?away=${!isPresent(period, today)}
        ?ready=${this.below !== null}
        @step=${this.onStep}
        @present=${this.onPresent}
        @kind=${this.onKind}
        @compare=${this.onCompare}
        @range=${this.onRange}
      ></ed-period-bar>
      ${this.renderBody()}
    </div>`;
  }

  private get today(): string {
    return dateOf(this.store.nowUs, this.store.formats.zone);
  }

  private get period(): Period {
    return periodOf(this.chosen, this.today);
  }

  /** Nothing of the period has happened. */
  private get ahead(): boolean {
    return this.period.first > this.today;
  }

  /** When anything was recorded first, or null. */
  private get sinceUs(): number | null {
    const { statistics_since_us, live_since_us } = this.store.site?.complete ?? { statistics_since_us: null, live_since_us: null };
    const known = [statistics_since_us, live_since_us].filter((us) => us !== null);
    return known.length > 0 ? Math.min(...known) : null;
  }

  private get asked(): Asked {
    return { site: this.store.site?.id ?? '', zone: this.store.formats.zone, period: this.period, compare: this.chosen.compare, fine: this.fine };
  }

  private load(site: SiteStatus): void {
    const asked = { ...this.asked, site: site.id };
    const age = performance.now() - this.loadedAt;
    const aged = age > REFRESH_EVERY_MS && isPresent(asked.period, this.today);
    const due = this.isShown && (aged || (this.statisticsNew && age > REFRESH_AT_MOST_EVERY_MS));
    if (due) this.loader.expire();
    this.loader.load(nameOf(asked), (signal) => {
      const kept = due ? null : this.cache.peek(asked);
      this.loadedAt = performance.now();
      return kept ? this.taken(kept, asked) : this.cache.load(asked, signal).then((found) => this.taken(found, asked));
    });
  }

  private taken(kept: Kept, asked: Asked): PeriodEnergy {
    this.loadedAt = kept.atMs;
    this.statisticsNew = kept.old;
    whenPainted(() => {
      if (this.isConnected) this.cache.prepare(this.near(asked));
    });
    return kept.of;
  }

  /** What a click may ask for next. */
  private near(asked: Asked): Asked[] {
    const { chosen, today } = this;
    const beside = ([-1, 1] as const).map((by) => neighbour(asked.period, by));
    const kinds = KINDS.filter((kind) => kind !== chosen.kind).map((kind) => periodOf(withKind(chosen, kind, today), today));
    return [...beside, ...kinds].filter(({ first }) => first <= today).map((period) => ({ ...asked, period })).filter(isLight);
  }

  private get showing(): Showing {
    return { narrow: this.narrow, formats: this.store.formats, sinceUs: this.sinceUs };
  }

  private shownOf(energy: PeriodEnergy): ShownPeriod {
    return this.periods.of(energy, this.showing, this.store.nowUs);
  }

  private show(shown: ShownPeriod): void {
    const { length } = shown.steps;
    this.scale = keepScale(this.scaleOf === length ? this.scale : null, shown.highest, AXIS_STEPS);
    this.scaleOf = length;
    this.shown = shown;
  }

  /** True while what is shown is what was asked for. */
  private get isShown(): boolean {
    return this.shown !== null && nameOf(this.shown.of.asked) === nameOf(this.asked);
  }

  private until(): string {
    const { period } = this;
    if (period.first === period.last || !isPresent(period, this.today) || period.last === this.today) return '';
    return t('period.untilToday', { time: this.store.formats.time(this.store.nowUs) });
  }

  private comparison(): string {
    if (!this.isShown || !this.shown?.of.was) return '';
    const { of, was } = this.shown;
    if (this.sinceUs !== null && of.was && isCut(of.was, this.sinceUs)) return t('period.notComparedSince', { day: this.store.formats.dayBrief(dateOf(this.sinceUs, this.store.formats.zone)) });
    const day = this.wasName(of);
    return was ? t('period.compared', { day }) : t('period.notCompared', { day });
  }

  private wasName({ asked, was }: PeriodEnergy): string {
    return was ? comparedName(was.period, was.span, asked.period, this.store.formats) : '';
  }

  private renderBody(): TemplateResult | typeof nothing {
    if (this.ahead) return this.renderNone(this.period);
    if (!this.shown || (this.loader.failure && !this.isShown)) return this.renderWithout();
    const { of, figures, numbers } = this.shown;
    if (!figures.known) return this.renderNone(of.asked.period);
    return html`${this.narrow ? nothing : guard([numbers], () => renderKeyCards(numbers))}
      <div class="pair">${this.renderChart(this.shown)} ${this.renderBelow((below) => this.renderTotals(below))}</div>
      ${this.renderBelow((below) => this.renderRest(below))}`;
  }

  private renderBelow(render: (below: ShownPeriod) => TemplateResult): unknown {
    const { below } = this;
    return below?.figures.known ? guard([below], () => render(below)) : nothing;
  }

  private renderTotals({ of, figures, was, showing: { formats } }: ShownPeriod): TemplateResult {
    const { period } = of.asked;
    const wasDay = of.was ? periodBrief(of.was.period, period, formats) : '';
    return html`<ed-totals-card .energy=${of.energy} .figures=${figures} .was=${was} day=${periodBrief(period, period, formats)} wasDay=${wasDay} .formats=${formats}></ed-totals-card>`;
  }

  private renderRest(shown: ShownPeriod): TemplateResult {
    return html`<ed-fed-card .fed=${shown.fed} .formats=${shown.showing.formats}></ed-fed-card>
      ${shown.figures.devices.devices.length > 0 ? this.renderDevices(shown) : nothing} ${this.renderVolumes(shown)}`;
  }

  private renderDevices({ of, figures, was, coarse, showing: { formats } }: ShownPeriod): TemplateResult {
    const wasDay = of.was ? periodBrief(of.was.period, of.asked.period, formats) : '';
    const length = coarse.resolution as StepLength;
    return html`<ed-devices-card .figures=${figures} .was=${was} length=${length} .untracked=${coarse.untracked} wasDay=${wasDay} .formats=${formats}></ed-devices-card>`;
  }

  private renderVolumes({ of, gas, water, numbers, showing: { formats, narrow } }: ShownPeriod): TemplateResult | typeof nothing {
    const volumes = ([['gas', gas], ['water', water]] as const).flatMap(([which, volume]) => {
      const number = numbers.find(({ name }) => name === t(`row.${which}`));
      return volume && number ? [{ which, volume, number }] : [];
    });
    if (volumes.length === 0) return nothing;
    const period = periodName(of.asked.period, formats);
    return html`<div class="volumes">
      ${volumes.map(
        ({ which, volume, number }) =>
          html`<ed-volume-card which=${which} name=${t(`row.${which}`)} period=${period} .volume=${volume} .number=${number} .formats=${formats} ?narrow=${narrow}></ed-volume-card>`,
      )}
    </div>`;
  }

  private renderChart({ of: { asked, energy }, steps, figures, numbers, showing: { formats, sinceUs } }: ShownPeriod): TemplateResult {
    const { entities } = this.store;
    const summary = t('energy.summary', { day: periodName(asked.period, formats), from: formats.kwh(figures.totalFrom), home: formats.kwh(figures.home) });
    const oneDay = asked.period.first === asked.period.last;
    return html`<ed-steps-card
      .steps=${steps}
      .scale=${this.scale}
      .formats=${formats}
      summary=${summary}
      since=${sinceUs === null ? '' : t('energy.since', { day: formats.dayWords(dateOf(sinceUs, formats.zone)) })}
      ?fine=${oneDay && !(energy.resolution === '5min' && onlyHours(energy))}
      .notes=${guard([energy, entities, formats], () => notesOf(energy, entities ?? [], formats, this.store.nowUs))}
      .numbers=${numbers}
      @steps=${this.onSteps}
    ></ed-steps-card>`;
  }

  /** Words for a period of which nothing is known: it lies ahead, before all records, or its history has not arrived. */
  private renderNone(period: Period): TemplateResult {
    const { formats } = this.store;
    const name = periodName(period, formats);
    if (this.ahead) return this.renderWords(t('energy.future', { period: name }), t('energy.future.what'), presentName(period));
    const first = this.sinceUs === null ? null : dateOf(this.sinceUs, formats.zone);
    if (first === null || period.last >= first) return this.renderWords(t('energy.none', { period: name }), t('energy.none.plain'), '');
    const day = formats.dayWords(first);
    return this.renderWords(t('energy.none', { period: name }), t('energy.none.what', { day }), t('energy.none.first', { day }), () => {
      this.go(periodAt(period.kind, first));
    });
  }

  private renderWords(heading: string, text: string, action: string, act: () => void = this.onPresent): TemplateResult {
    return html`<div class="card"><ed-message .icon=${mdiCalendarQuestionOutline} heading=${heading} text=${text} action=${action} @action=${act}></ed-message></div>`;
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

  private choose(chosen: Chosen): void {
    this.dispatchEvent(new ChosenEvent(chosen));
  }

  private go(period: Period): void {
    if (period.first <= this.today) this.choose(choose(period, this.chosen.compare, this.today));
  }

  private onStep(event: StepEvent): void {
    this.go(neighbour(this.period, event.by));
  }

  private readonly onPresent = (): void => {
    this.go(periodAt(this.chosen.kind, this.today));
  };

  private onKind(event: KindEvent): void {
    this.choose(withKind(this.chosen, event.kind, this.today));
  }

  private onCompare(event: CompareEvent): void {
    this.choose({ ...this.chosen, compare: event.compare });
  }

  private onRange({ first, last }: RangeEvent): void {
    this.choose({ ...this.chosen, kind: 'range', date: first, last });
  }

  private onSteps(event: StepsEvent): void {
    this.fine = event.steps === '5min';
  }

  private readonly onMedia = (event: MediaQueryListEvent): void => {
    this.narrow = event.matches;
  };

  private readonly onKey = (event: KeyboardEvent): void => {
    if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.composedPath()[0] instanceof HTMLInputElement) return;
    if (event.key === 'ArrowLeft') this.go(neighbour(this.period, -1));
    if (event.key === 'ArrowRight') this.go(neighbour(this.period, 1));
  };
}

const SHAPES = [
  { x: 0, y: 0, w: 24, h: 16 },
  { x: 0, y: 40, w: 68, h: 300 },
  { x: 72, y: 40, w: 28, h: 300 },
  { x: 0, y: 364, w: 40, h: 16 },
];
