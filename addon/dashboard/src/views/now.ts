/** Now: what happens, what it costs, what today has been. */
import { mdiPowerPlug } from '@mdi/js';
import { LitElement, html, nothing, type TemplateResult } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import { fetchEnergy } from '../api/client';
import type { Energy, Entity, SiteStatus } from '../api/types';
import '../components/flow/device-list';
import '../components/flow/power-flow';
import '../components/message/message';
import { notice, noticeStyles } from '../components/message/notice';
import '../components/now/carbon-card';
import '../components/now/hour-card';
import '../components/now/price-card';
import '../components/now/today-card';
import { powerKeys, type Home } from '../domain/home';
import { lastHour, type LastHour } from '../domain/last-hour';
import { deviceRows, powerNow, type Amount, rankDevices, type DeviceRow, type PowerNow } from '../domain/power';
import { powerSentence, powerTrouble } from '../domain/sentence';
import { HOUR_US, MINUTE_US, addDays, dateOf, startOfDay } from '../domain/time';
import { t, tn } from '../i18n';
import { StoreController } from '../state/controller';
import { Loader } from '../state/loader';
import { ReadingsWindow } from '../state/readings-window';
import type { Store } from '../state/store';
import { base, card } from '../styles/shared';
import { nowStyles } from './now-styles';

const SHOWN_DEVICES = 5;
const RANK_EVERY_MS = 30_000;
const HOUR_EVERY_MS = 2_000;
const TODAY_EVERY_MS = 60_000;
const TODAY_AT_MOST_EVERY_MS = 10_000;

/** What shows no seconds gets none, so that it is not rendered with every reading. */
const minute = (us: number): number => Math.floor(us / MINUTE_US) * MINUTE_US;

@customElement('ed-now-view')
export class EdNowView extends LitElement {
  static override styles = [base, card, noticeStyles, nowStyles];

  @property({ attribute: false }) store!: Store;

  private readonly hourReadings = new ReadingsWindow(this, () => this.store);
  private readonly dayReadings = new ReadingsWindow(this, () => this.store);
  private readonly today = new Loader<Energy>(this);
  private ranked: string[] = [];
  private rankedAt = -Infinity;
  private hour: LastHour | null = null;
  private hourAt = -Infinity;
  private hourOf: unknown = null;
  private todayAt = 0;
  private statisticsNew = false;
  private unsubscribe: (() => void) | null = null;

  constructor() {
    super();
    new StoreController(this, () => this.store, ['values', 'state', 'clock']);
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.unsubscribe = this.store.topics.subscribe('statistics', () => {
      this.statisticsNew = true;
    });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.unsubscribe?.();
  }

  override willUpdate(): void {
    const { home, site } = this.store;
    if (!home || !site) return;
    this.load(home, site);
    this.rank(home);
    this.computeHour(home, site);
  }

  override render(): TemplateResult | typeof nothing {
    const { home, values, formats, nowUs } = this.store;
    if (!home) return nothing;
    if (powerKeys(home).length === 0) return this.renderNoPower();
    const now = powerNow(home, values);
    const devices = deviceRows(home, values, this.ranked, SHOWN_DEVICES, now.home);
    return html`<div class="view">
      <div class="main">
        ${this.renderPower(now, devices)} ${this.renderPair(home, now, 'narrow')}
        <ed-hour-card .hour=${this.hour} .formats=${formats}></ed-hour-card>
        ${this.renderDeviceCard(now, devices)}
      </div>
      <div class="side">
        ${this.renderPair(home, now, 'wide')}
        <ed-today-card .energy=${this.today.data} failure=${this.today.failure?.message ?? ''} .nowUs=${minute(nowUs)} .formats=${formats}></ed-today-card>
      </div>
    </div>`;
  }

  private load(home: Home, site: SiteStatus): void {
    const { nowUs, connection, formats } = this.store;
    const zone = formats.zone;
    const date = dateOf(nowUs, zone);
    const startUs = startOfDay(date, zone);
    if (connection !== 'open') {
      this.hourReadings.loader.expire();
      this.dayReadings.loader.expire();
      return;
    }
    this.hourReadings.keepFrom(nowUs - HOUR_US - MINUTE_US);
    this.hourReadings.open('hour', site.id, powerKeys(home), nowUs - HOUR_US);
    const dayKeys = [home.priceKey, home.carbonKey].filter((key) => key !== null);
    if (dayKeys.length > 0) this.dayReadings.open(date, site.id, dayKeys, startUs, true);
    const age = performance.now() - this.todayAt;
    if (age > TODAY_EVERY_MS || (this.statisticsNew && age > TODAY_AT_MOST_EVERY_MS)) {
      this.todayAt = performance.now();
      this.statisticsNew = false;
      this.today.expire();
    }
    const endUs = startOfDay(addDays(date, 1), zone);
    this.today.load(date, (signal) => fetchEnergy({ site: site.id, zone, startUs, endUs, resolution: 'total' }, signal));
  }

  private rank(home: Home): void {
    const now = performance.now();
    const changed = this.ranked.length !== home.devices.length;
    if (!changed && now - this.rankedAt < RANK_EVERY_MS) return;
    this.ranked = rankDevices(home, this.store.values);
    this.rankedAt = now;
  }

  private computeHour(home: Home, site: SiteStatus): void {
    const samples = this.hourReadings.samples;
    const now = performance.now();
    if (!samples || (this.hourOf === samples && now - this.hourAt < HOUR_EVERY_MS)) return;
    const entities = this.store.entities?.length ?? 0;
    const until = this.stale && this.store.newestUs !== null ? this.store.newestUs : this.store.nowUs;
    // A gap of single Entities does not blank the others.
    const gaps = site.gaps.filter((gap) => gap.entities * 2 >= entities);
    const power = powerNow(home, this.store.values);
    const kwOf = (amount: Amount | null): number | null => (amount?.state === 'known' ? amount.kw : null);
    this.hour = { ...lastHour(home, samples, this.store.nowUs, until, { gaps, complete: site.complete }), now: { solar: kwOf(power.solar), home: kwOf(power.home) } };
    this.hourAt = now;
    this.hourOf = samples;
  }

  private get stale(): boolean {
    const { state } = this.store.trust;
    return state === 'waiting' || state === 'off' || (state === 'connecting' && this.store.failure !== null);
  }

  private renderPower(now: PowerNow, devices: DeviceRow[]): TemplateResult {
    const { formats } = this.store;
    const sentence = powerSentence(now);
    return html`<section class="card power" aria-labelledby="power-title">
      <div class="title">
        <h2 id="power-title">${t('flow.title')}</h2>
        <span class="second">${now.newestUs === null ? nothing : t('flow.at', { time: formats.timeSeconds(now.newestUs) })}</span>
      </div>
      <div class="say">${this.renderSay(now, sentence)}</div>
      <ed-power-flow .now=${now} .devices=${devices} .formats=${formats} ?stale=${this.stale} summary=${sentence}></ed-power-flow>
    </section>`;
  }

  private renderSay(now: PowerNow, sentence: string): TemplateResult {
    const { formats, newestUs, nowUs, trust, site } = this.store;
    if (this.stale) {
      const what = newestUs === null ? t('say.unknownHome') : t('say.stale', { time: formats.moment(newestUs, nowUs) });
      return notice('stale', what, t(trust.state === 'waiting' ? 'say.staleWhy' : 'say.staleServer'));
    }
    const trouble = powerTrouble(now, (us) => formats.moment(us, nowUs));
    if (trouble) return notice('part', trouble.what, trouble.then);
    const importing = site?.link.importing;
    if (trust.state === 'importing' && importing) {
      const share = importing.done / importing.total;
      const of = t('say.importingOf', { percent: formats.percent(share), done: importing.done, total: importing.total });
      return html`<div class="importing">
        <div class="line"><b>${t('say.importing')}</b><span class="second">${of}</span></div>
        <div class="track" role="progressbar" aria-label=${t('say.importing')} aria-valuenow=${Math.round(share * 100)}><i .style=${`width:${share * 100}%`}></i></div>
      </div>`;
    }
    return html`<p class="second">${sentence}</p>`;
  }

  private renderPair(home: Home, now: PowerNow, where: 'wide' | 'narrow'): TemplateResult | typeof nothing {
    if (home.priceKey === null && home.carbonKey === null) return nothing;
    return html`<div class="pair ${where}">${this.renderPrice(home.priceKey)} ${this.renderCarbon(home.carbonKey, now)}</div>`;
  }

  private renderPrice(key: string | null): TemplateResult | typeof nothing {
    if (key === null) return nothing;
    const { values, formats, nowUs } = this.store;
    const date = dateOf(nowUs, formats.zone);
    return html`<ed-price-card
      .value=${values.get(key)?.value ?? null}
      unit=${this.entity(key)?.unit ?? ''}
      .samples=${this.dayReadings.samples?.get(key) ?? null}
      .startUs=${startOfDay(date, formats.zone)}
      .endUs=${startOfDay(addDays(date, 1), formats.zone)}
      .nowUs=${minute(nowUs)}
      .formats=${formats}
    ></ed-price-card>`;
  }

  private renderCarbon(key: string | null, now: PowerNow): TemplateResult | typeof nothing {
    if (key === null) return nothing;
    const { values, formats } = this.store;
    const share = now.home.state !== 'known' || now.unknown.size > 0 ? null : now.home.kw === 0 ? 0 : Math.min(1, now.links.grid_to_home / now.home.kw);
    return html`<ed-carbon-card
      .value=${values.get(key)?.value ?? null}
      .gridShare=${share}
      .samples=${this.dayReadings.samples?.get(key) ?? null}
      .formats=${formats}
    ></ed-carbon-card>`;
  }

  private renderDeviceCard(now: PowerNow, devices: DeviceRow[]): TemplateResult | typeof nothing {
    if (devices.length === 0) return nothing;
    const kw = now.home.state === 'known' ? now.home.kw : null;
    return html`<section class="card devices" aria-labelledby="devices-title">
      <div class="title">
        <h2 id="devices-title">${t('flow.tile.home')}</h2>
        <span class="second">${kw === null ? t('flow.noValue') : `${this.store.formats.kw(kw)} kW`}</span>
      </div>
      <ed-device-list .devices=${devices} .totalKw=${kw ?? 0} .formats=${this.store.formats} ?data-stale=${this.stale}></ed-device-list>
    </section>`;
  }

  private renderNoPower(): TemplateResult {
    const count = this.store.entities?.length ?? 0;
    return html`<div class="card"><ed-message .icon=${mdiPowerPlug} heading=${t('empty.title')} text=${tn('empty.noPower', count)}></ed-message></div>`;
  }

  private entity(key: string): Entity | undefined {
    return this.store.entities?.find((entity) => entity.key === key);
  }
}
