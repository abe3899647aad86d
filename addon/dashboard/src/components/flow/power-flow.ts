/** The live flow as tiles and links. See README.md beside this file for the handles that tests use. */
import { mdiHome, mdiHomeBattery, mdiSolarPower, mdiTransmissionTower } from '@mdi/js';
import { LitElement, html, nothing, svg, type PropertyValues, type SVGTemplateResult, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import type { LinkName } from '../../domain/balance';
import type { Formats } from '../../domain/format';
import { existingLinks, type Amount, type DeviceRow, type PowerNow, type TileName } from '../../domain/power';
import { feeders } from '../../domain/sentence';
import { t } from '../../i18n';
import { base } from '../../styles/shared';
import { icon } from '../icon';
import { deviceIcon } from './device-icon';
import { flowStyles } from './flow-styles';
import { layoutOf, widthsOf, type Layout } from './geometry';
import './live-number';

const TILE_ICON: Record<TileName, string> = { solar: mdiSolarPower, grid: mdiTransmissionTower, battery: mdiHomeBattery, home: mdiHome };
const LINK_COLOUR: Record<LinkName, string> = {
  solar_to_home: 'solar',
  solar_to_grid: 'export',
  solar_to_battery: 'charge',
  grid_to_home: 'grid',
  grid_to_battery: 'charge',
  battery_to_home: 'discharge',
  battery_to_grid: 'export',
};
const FLOWING_KW = 0.005;

type Direction = 'from' | 'to' | 'idle';

const directionOf = (amount: Amount): Direction => (amount.state !== 'known' || amount.kw === 0 ? 'idle' : amount.kw > 0 ? 'from' : 'to');

@customElement('ed-power-flow')
export class EdPowerFlow extends LitElement {
  static override styles = [base, flowStyles];

  @property({ attribute: false }) now!: PowerNow;
  @property({ attribute: false }) devices: readonly DeviceRow[] = [];
  @property({ attribute: false }) formats!: Formats;
  /** No reading for a while: values stay, greyed, without motion. */
  @property({ type: Boolean }) stale = false;
  @property() summary = '';
  @state() private width = 0;

  private readonly sizes = new ResizeObserver(([entry]) => {
    if (entry) this.width = Math.round(entry.contentRect.width);
  });

  override connectedCallback(): void {
    super.connectedCallback();
    this.sizes.observe(this);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.sizes.disconnect();
  }

  override updated(changed: PropertyValues<this>): void {
    if (changed.has('stale')) this.toggleAttribute('data-stale', this.stale);
  }

  override render(): TemplateResult | typeof nothing {
    if (this.width === 0) return nothing;
    const layout = layoutOf({ width: this.width, solar: this.now.solar !== null, battery: this.now.battery !== null, devices: this.devices.length > 0 });
    const tiles = (['solar', 'grid', 'battery', 'home'] as const).filter((name) => this.now[name] !== null);
    return html`<div class="flow ${layout.small ? 'small' : ''}" .style=${`height:${layout.height}px`}>
      <svg width=${layout.width} height=${layout.height} role="img" aria-label=${t('flow.summary', { sentence: this.summary })}>
        ${this.renderLinks(layout)} ${layout.deviceX === null ? nothing : this.renderDeviceLinks(layout, layout.deviceX)}
      </svg>
      ${tiles.map((name) => this.renderTile(name, layout))} ${layout.deviceX === null ? nothing : this.renderDevices(layout, layout.deviceX)}
    </div>`;
  }

  private renderLinks(layout: Layout): SVGTemplateResult[] {
    const names = existingLinks(this.now).filter((name) => name !== 'battery_to_grid' || this.flowing(name));
    const shown = names.filter((name) => name !== 'grid_to_battery' || !names.includes('battery_to_grid'));
    const flowing = shown.filter((name) => this.flowing(name));
    const widths = widthsOf(flowing.map((name) => this.now.links[name]), layout.perKw);
    const idle = shown.filter((name) => !flowing.includes(name));
    return [
      ...idle.map((name) => svg`<path class=${this.now.unknown.has(name) ? 'unknown' : 'idle'} d=${layout.paths[name]}></path>`),
      ...flowing.map((name, i) => this.renderFlowing(name, layout, widths[i] ?? 0)),
    ];
  }

  private flowing(name: LinkName): boolean {
    return this.now.links[name] >= FLOWING_KW && !this.now.unknown.has(name);
  }

  private renderFlowing(name: LinkName, layout: Layout, width: number): SVGTemplateResult {
    const path = layout.paths[name];
    const arrow = layout.arrows[name];
    return svg`<g class="flowing ${LINK_COLOUR[name]}">
      <path class="band" d=${path} stroke-width=${width.toFixed(1)}></path>
      <path class="dots" d=${path}></path>
      <path class="arrow" d="M-5 -6 3 0-5 6" transform=${`translate(${arrow.x} ${arrow.y}) rotate(${arrow.turn})`}></path>
    </g>`;
  }

  private renderTile(name: TileName, layout: Layout): TemplateResult | typeof nothing {
    const amount = this.now[name];
    if (!amount) return nothing;
    const box = layout.tiles[name];
    const direction = name === 'home' ? 'home' : directionOf(amount);
    const label = this.label(name, amount);
    const size = layout.small ? 16 : 24;
    return html`<div
      class="tile ${name} ${direction}"
      role="group"
      aria-label=${t(`energy.node.${name}`)}
      .style=${`left:${box.x}px;top:${box.y}px;width:${box.w}px;height:${box.h}px`}
    >
      <span class="disc">${icon(TILE_ICON[name], size)}</span>
      <div class="words">
        <div class="label">${label}</div>
        ${this.renderAmount(name, amount)} ${this.renderBelow(name, amount, layout.small)}
      </div>
    </div>`;
  }

  private renderAmount(name: TileName, amount: Amount): TemplateResult {
    if (amount.state !== 'known') return html`<div class="value none">${t('flow.noValue')}</div>`;
    const entities = name === 'home' && !this.now.homeMetered ? '' : amount.keys.join(' ');
    const kw = this.formats.kw(Math.abs(amount.kw));
    return html`<div class="value"><ed-live-number data-entity=${entities} .text=${kw}></ed-live-number><span class="unit">kW</span></div>`;
  }

  private renderBelow(name: TileName, amount: Amount, short: boolean): TemplateResult | typeof nothing {
    if (name === 'battery' && this.now.charge !== null) {
      const percent = this.formats.percent(this.now.charge / 100);
      return html`<div class="charge" role="img" aria-label=${t('flow.charge', { percent })}>
        <span class="track"><i .style=${`width:${Math.min(100, Math.max(0, this.now.charge))}%`}></i></span><span class="label">${percent}</span>
      </div>`;
    }
    return name === 'home' && amount.state === 'known' ? this.renderFeeders(amount.kw, short) : nothing;
  }

  private renderFeeders(kw: number, short: boolean): TemplateResult | typeof nothing {
    const [main, other] = feeders(this.now.links);
    if (!main || this.now.unknown.size > 0) return nothing;
    const percent = this.formats.percent(main.kw / Math.max(kw, main.kw));
    const source = t(`word.short.${main.name}`);
    if (other) return html`<div class="label">${t(short ? 'flow.shareShort' : 'flow.shareFrom', { percent, source })}</div>`;
    return html`<div class="label">${t(short ? 'flow.from' : 'flow.allFrom', { source })}</div>`;
  }

  private label(name: TileName, amount: Amount): string {
    if (name === 'home') return t('flow.tile.home');
    const direction = directionOf(amount);
    if (name === 'solar') return t(direction === 'from' ? 'flow.tile.solar.from' : 'flow.tile.solar.idle');
    return t(`flow.tile.${name}.${direction}`);
  }

  private renderDeviceLinks(layout: Layout, deviceX: number): SVGTemplateResult[] {
    const home = layout.tiles.home;
    const rowHeight = layout.height / this.devices.length;
    const widths = this.devices.map((row) => row.kw ?? 0);
    const total = widths.reduce((sum, kw) => sum + kw, 0);
    const scale = Math.min(layout.perKw, home.h / 2 / Math.max(total, 0.001));
    let y = home.y + home.h / 2 - (total * scale) / 2;
    return this.devices.map((row, i) => {
      const width = (row.kw ?? 0) * scale;
      const from = y + width / 2;
      const to = i * rowHeight + rowHeight / 2;
      y += width;
      const x1 = home.x + home.w;
      const x2 = deviceX - 8;
      const middle = (x1 + x2) / 2;
      const kind = row.kw === null ? 'unknown' : row.id === 'untracked' ? 'device untracked' : 'device';
      return svg`<path class=${kind} d=${`M${x1} ${from}C${middle} ${from} ${middle} ${to} ${x2} ${to}`} stroke-width=${row.kw === null ? 1.5 : Math.max(1.5, width).toFixed(1)}></path>`;
    });
  }

  private renderDevices(layout: Layout, deviceX: number): TemplateResult {
    const rowHeight = layout.height / this.devices.length;
    return html`<ul aria-label=${t('flow.consumers')}>
      ${this.devices.map((row, i) => {
        const name = deviceName(row);
        return html`<li class="device" aria-label=${name} .style=${`left:${deviceX}px;top:${i * rowHeight + rowHeight / 2 - 24}px`}>
          <span class="disc">${icon(deviceIcon(row.id, row.name), 20)}</span>
          <div class="words">
            <div class="label" title=${name}>${name}</div>
            ${renderDeviceAmount(row, this.formats)}
          </div>
        </li>`;
      })}
    </ul>`;
  }
}

export function deviceName(row: DeviceRow): string {
  if (row.id === 'others') return t('flow.others');
  return row.name ?? t('flow.notTracked');
}

export function renderDeviceAmount(row: DeviceRow, formats: Formats): TemplateResult {
  if (row.kw === null) return html`<div class="amount none">${t('flow.noValue')}</div>`;
  const entity = row.name === null ? '' : row.id;
  return html`<div class="amount"><ed-live-number data-entity=${entity} .text=${formats.kw(row.kw)}></ed-live-number> <span class="unit">kW</span></div>`;
}
