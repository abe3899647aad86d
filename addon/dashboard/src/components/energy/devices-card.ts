/** Every device of a period, biggest first, with what it includes, and what no device accounts for. */
import { mdiChevronDown, mdiChevronUp } from '@mdi/js';
import { LitElement, html, nothing, svg, type SVGTemplateResult, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import type { DeviceFigure } from '../../domain/devices';
import type { Figures } from '../../domain/figures';
import { listWords, type Formats } from '../../domain/format';
import { roundTo } from '../../domain/rounding';
import { STEP_NAMES } from '../../domain/step-names';
import type { StepLength } from '../../domain/steps';
import { t } from '../../i18n';
import { base, button, card, table } from '../../styles/shared';
import { deviceIcon } from '../flow/device-icon';
import { icon } from '../icon';
import { devicesCardStyles } from './devices-card-styles';
import { knownStyles, renderSign } from './known';

interface Row extends Pick<DeviceFigure, 'id' | 'kwh' | 'exact' | 'values' | 'missing' | 'holds'> {
  name: string;
  was: number | null;
}

const SPARK_HEIGHT = 24;
const MOST_NAMES = 5;

@customElement('ed-devices-card')
export class EdDevicesCard extends LitElement {
  static override styles = [base, card, button, table, knownStyles, devicesCardStyles];

  @property({ attribute: false }) figures!: Figures;
  @property({ attribute: false }) was: Figures | null = null;
  /** The intervals of the devices' values. */
  @property() length: StepLength = 'day';
  /** Home use of each interval that no device accounts for. */
  @property({ attribute: false }) untracked: readonly (number | null)[] = [];
  @property() wasDay = '';
  @property({ attribute: false }) formats!: Formats;
  @state() private closed: ReadonlySet<string> = new Set();

  override render(): TemplateResult {
    const { figures, was } = this;
    const { devices, untracked } = figures.devices;
    const rest: Row = { id: 'untracked', name: t('flow.notTracked'), ...untracked, missing: null, was: was?.devices.untracked.kwh ?? null, values: this.untracked };
    return html`<section class="card" aria-labelledby="title">
      <div class="title"><h2 id="title">${t('devices.title')}</h2></div>
      <table>
        <colgroup>
          <col class="disc-column" />
          <col class="name-column" />
          <col class="track-column" />
          <col class="number-column" />
          ${was ? html`<col class="wide number-column" /><col class="wide number-column" />` : nothing}
          <col class="wide number-column" />
          <col class="spark-column" />
          <col class="open-column" />
        </colgroup>
        <thead>
          <tr>
            <th scope="col" colspan="2">${t('devices.name')}</th>
            <td class="track-column"></td>
            <th scope="col">kWh</th>
            ${was ? html`<th scope="col" class="wide">${this.wasDay}</th><th scope="col" class="wide">${t('energy.change')}</th>` : nothing}
            <th scope="col" class="wide">${t('devices.share')}</th>
            <th scope="col" class="spark-column">${t('devices.by', { step: t(STEP_NAMES[this.length]) })}</th>
            <td class="open-column"></td>
          </tr>
        </thead>
        ${devices.map((device) => this.renderDevice(device))} ${untracked.exact > 0 || devices.length === 0 ? html`<tbody>${this.renderRow(rest, nothing)}</tbody>` : nothing}
        <tbody>
          ${this.renderSum()}
        </tbody>
      </table>
      ${this.renderKnown()}
    </section>`;
  }

  /** Which devices are not known all the time, and in which rests their use is then. */
  private renderKnown(): TemplateResult | typeof nothing {
    const { devices, untracked } = this.figures.devices;
    const all = devices.flatMap((device) => [device, ...device.parts]);
    const names = all.filter(({ missing }) => missing !== null).map(({ name }) => name ?? '');
    if (names.length === 0) return nothing;
    const rests = devices.filter(({ parts }) => parts.some(holdsSome)).map(({ name }) => t('devices.rest', { name: name ?? '' }));
    if (untracked.exact > 0 && holdsSome(untracked)) rests.unshift(t('flow.notTracked'));
    const holds = rests.length > 0 ? t('devices.holds', { rests: listWords(rests) }) : '';
    return html`<p class="note known">${renderSign('partly')}<span>${t('devices.missing', { names: shortList(names) })} ${holds}</span></p>`;
  }

  private rowOf({ id, name, kwh, exact, values, missing, holds }: DeviceFigure, parent: string, was: readonly DeviceFigure[] | undefined): Row {
    const before = was?.find((device) => device.id === id && device.missing !== 'wholly');
    return { id, name: name ?? t('devices.rest', { name: parent }), kwh, exact, was: before?.kwh ?? null, values, missing, holds };
  }

  private renderDevice(device: DeviceFigure): TemplateResult {
    const before = this.was?.devices.devices;
    const open = !this.closed.has(device.id);
    const parts = device.parts.length > 0;
    const name = device.name ?? '';
    const before_parts = before?.find(({ id }) => id === device.id)?.parts;
    const opener = parts
      ? html`<button class="icon-button" aria-expanded=${open} aria-label=${t(open ? 'devices.fewer' : 'devices.more', { name })} @click=${(): void => {
          this.toggle(device.id);
        }}>${icon(open ? mdiChevronUp : mdiChevronDown, 20)}</button>`
      : nothing;
    return html`<tbody>
      ${this.renderRow(this.rowOf(device, '', before), opener)} ${parts && open ? device.parts.map((part) => this.renderRow(this.rowOf(part, name, before_parts), nothing, 'part')) : nothing}
    </tbody>`;
  }

  private toggle(id: string): void {
    const closed = new Set(this.closed);
    if (!closed.delete(id)) closed.add(id);
    this.closed = closed;
  }

  private print(kwh: number): string {
    return this.formats.number(kwh, this.figures.decimals);
  }

  /** What it was before and how it has changed, where the period is compared. */
  private renderWas(kwh: number, was: number | null): TemplateResult | typeof nothing {
    if (!this.was) return nothing;
    const { decimals } = this.figures;
    const change = was === null ? nothing : this.formats.change(kwh - roundTo(was, decimals), decimals);
    return html`<td class="wide second">${was === null ? nothing : this.print(was)}</td><td class="wide">${change}</td>`;
  }

  private renderAmounts({ kwh, was }: Row): TemplateResult {
    const { home } = this.figures;
    const share = home > 0 ? this.formats.percent(kwh / home) : nothing;
    return html`<td class="amount">${this.print(kwh)}</td>
      ${this.renderWas(kwh, was)}
      <td class="wide second">${share}</td>`;
  }

  /** In the place of the amounts of what is not known. */
  private renderNone({ was }: Row): TemplateResult {
    return html`<td class="amount">–</td>
      ${this.was ? html`<td class="wide second">${was === null ? nothing : this.print(was)}</td><td class="wide"></td>` : nothing}
      <td class="wide"></td>`;
  }

  private renderRow(row: Row, opener: TemplateResult | typeof nothing, kind = ''): TemplateResult {
    const { devices } = this.figures;
    const biggest = Math.max(devices.devices[0]?.exact ?? 0, devices.untracked.exact);
    const width = biggest > 0 ? (row.exact / biggest) * 100 : 0;
    const bar = html`<span class="bar ${row.id}" .style=${`width:max(2px,${width.toFixed(1)}%)`}></span>`;
    const part = kind === 'part';
    return html`<tr class=${kind}>
      <td class="disc-column">${part ? nothing : html`<span class="disc">${icon(deviceIcon(row.id, row.name), 20)}</span>`}</td>
      <th scope="row"><span class="marked"><span class="name" title=${row.name}>${row.name}</span>${renderMark(row)}</span><span class="under">${bar}</span></th>
      <td class="track-column">${bar}</td>
      ${row.missing === 'wholly' ? this.renderNone(row) : this.renderAmounts(row)}
      <td class="spark-column">${part || row.kwh === 0 ? nothing : spark(row.values)}</td>
      <td class="open-column">${opener}</td>
    </tr>`;
  }

  private renderSum(): TemplateResult {
    const { figures, was } = this;
    return html`<tr class="sum">
      <td class="disc-column"></td>
      <th scope="row">${t('devices.home')}</th>
      <td class="track-column"></td>
      <td>${this.print(figures.home)}</td>
      ${this.renderWas(figures.home, was?.home ?? null)}
      <td class="wide"></td>
      <td class="spark-column"></td>
      <td class="open-column"></td>
    </tr>`;
  }
}

const holdsSome = ({ holds }: Pick<DeviceFigure, 'holds'>): boolean => holds.length > 0;

function shortList(names: readonly string[]): string {
  if (names.length <= MOST_NAMES) return listWords(names);
  return listWords([...names.slice(0, MOST_NAMES - 1), t('word.more', { n: names.length - MOST_NAMES + 1 })]);
}

/** Beside the name of a device that is not known all the time, and of a rest that has its use in it. */
function renderMark({ missing, holds }: Row): TemplateResult | typeof nothing {
  if (missing === null && holds.length === 0) return nothing;
  const words = missing === null ? t('devices.with', { names: shortList(holds) }) : t(missing === 'wholly' ? 'known.missing' : 'known.partly');
  return html`<span class="mark" title=${words}>${renderSign(missing === 'wholly' ? 'missing' : 'partly')}<span class="spoken">${words}</span></span>`;
}

/** Bars of a device's intervals, as high as its own highest. */
function spark(values: readonly (number | null)[]): TemplateResult | typeof nothing {
  const highest = Math.max(...values.map((value) => value ?? 0));
  if (values.length === 0 || highest <= 0) return nothing;
  const top = (value: number): string => (SPARK_HEIGHT - Math.max(0.8, (value / highest) * SPARK_HEIGHT)).toFixed(1);
  const bars = values.map((value, i) => (value === null ? '' : `M${i + 0.15} ${SPARK_HEIGHT}V${top(value)}h.7V${SPARK_HEIGHT}z`)).join('');
  const path: SVGTemplateResult = svg`<path d=${bars}></path>`;
  return html`<svg class="spark" viewBox="0 0 ${values.length} ${SPARK_HEIGHT}" preserveAspectRatio="none" aria-hidden="true">${path}</svg>`;
}
