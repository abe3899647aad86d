/** The biggest consumers as a list with bars, for narrow pages. */
import { LitElement, css, html, type TemplateResult } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import type { Formats } from '../../domain/format';
import type { DeviceRow } from '../../domain/power';
import { t } from '../../i18n';
import { base } from '../../styles/shared';
import { icon } from '../icon';
import { deviceIcon } from './device-icon';
import { deviceName, renderDeviceAmount } from './power-flow';

@customElement('ed-device-list')
export class EdDeviceList extends LitElement {
  static override styles = [
    base,
    css`
      li {
        display: flex;
        align-items: center;
        gap: 12px;
        min-height: 44px;
      }
      .disc {
        display: grid;
        flex: none;
        place-items: center;
        width: 32px;
        height: 32px;
        border-radius: 50%;
        background: color-mix(in srgb, var(--use) 20%, var(--card));
        color: var(--use-text);
      }
      .words {
        flex: 1;
        min-width: 0;
      }
      .line {
        display: flex;
        gap: 12px;
      }
      .name {
        flex: 1;
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      .amount {
        font-weight: 500;
        white-space: nowrap;
      }
      .amount.none {
        font-weight: 400;
        color: var(--ink-2);
      }
      .unit {
        font: 400 12px/16px Roboto, sans-serif;
        color: var(--ink-2);
      }
      .track {
        height: 4px;
        margin-top: 2px;
        overflow: hidden;
        border-radius: 2px;
        background: var(--track);
      }
      .track i {
        display: block;
        height: 4px;
        background: var(--use);
      }
      .untracked i {
        background: repeating-linear-gradient(90deg, var(--use) 0 2px, transparent 2px 4px);
      }
      :host([data-stale]) .amount {
        color: var(--ink-2);
      }
    `,
  ];

  @property({ attribute: false }) devices: readonly DeviceRow[] = [];
  @property({ type: Number }) totalKw = 0;
  @property({ attribute: false }) formats!: Formats;

  override render(): TemplateResult {
    return html`<ul aria-label=${t('flow.consumers')}>
      ${this.devices.map((row) => {
        const name = deviceName(row);
        const share = this.totalKw > 0 ? Math.min(1, (row.kw ?? 0) / this.totalKw) : 0;
        return html`<li aria-label=${name}>
          <span class="disc">${icon(deviceIcon(row.id, row.name), 20)}</span>
          <div class="words">
            <div class="line"><span class="name" title=${name}>${name}</span>${renderDeviceAmount(row, this.formats)}</div>
            <div class="track ${row.id}"><i .style=${`width:${(share * 100).toFixed(1)}%`}></i></div>
          </div>
        </li>`;
      })}
    </ul>`;
  }
}
