/** The frame: tabs and trust chip above on wide pages; an app bar above and navigation below on a phone. */
import { mdiChartBar, mdiMenu, mdiPulse, mdiShieldCheckOutline } from '@mdi/js';
import { LitElement, css, html, nothing, type TemplateResult } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import type { SiteStatus } from '../../api/types';
import type { Formats } from '../../domain/format';
import type { Trust } from '../../domain/trust';
import { t } from '../../i18n';
import { VIEWS, type ViewName } from '../../state/router';
import { base } from '../../styles/shared';
import { icon } from '../icon';
import './trust-chip';

const ICONS: Record<ViewName, string> = { now: mdiPulse, energy: mdiChartBar, status: mdiShieldCheckOutline };

export class SiteEvent extends Event {
  constructor(readonly site: string) {
    super('site');
  }
}

@customElement('ed-shell')
export class EdShell extends LitElement {
  static override styles = [
    base,
    css`
      :host {
        display: flex;
        flex-direction: column;
        min-height: 100dvh;
      }
      header {
        position: sticky;
        top: 0;
        z-index: 10;
        height: 56px;
        border-bottom: 1px solid var(--line);
        background: var(--card);
      }
      .bar {
        display: flex;
        align-items: center;
        max-width: 1440px;
        height: 100%;
        margin: 0 auto;
        padding: 0 24px 0 16px;
      }
      h1 {
        font: 400 20px/28px Roboto, sans-serif;
      }
      @media (min-width: 600px) {
        h1 {
          position: absolute;
          width: 1px;
          height: 1px;
          overflow: hidden;
          clip-path: inset(50%);
        }
      }
      nav {
        display: flex;
        gap: 4px;
        height: 100%;
      }
      nav a {
        display: flex;
        align-items: center;
        padding: 2px 16px 0;
        border-bottom: 2px solid transparent;
        color: var(--ink-2);
        font-weight: 500;
        text-decoration: none;
      }
      nav a:hover {
        color: var(--ink);
      }
      nav a[aria-current] {
        border-color: var(--ink);
        color: var(--ink);
      }
      nav a:focus-visible {
        outline-offset: -4px;
      }
      nav .pill {
        display: none;
      }
      ed-trust-chip {
        margin-left: auto;
      }
      .menu {
        display: grid;
        flex: none;
        place-items: center;
        width: 48px;
        height: 48px;
        margin-left: -8px;
        border-radius: 24px;
      }
      .menu + h1 {
        margin-left: 4px;
      }
      select {
        max-width: 200px;
        height: 40px;
        margin-left: auto;
        padding: 0 8px;
        border: 1px solid var(--line);
        border-radius: 20px;
        background: var(--card);
        color: var(--ink);
        font: 500 14px/20px Roboto, sans-serif;
      }
      select + ed-trust-chip {
        margin-left: 12px;
      }
      main {
        flex: 1;
        width: 100%;
        max-width: 1440px;
        margin: 0 auto;
        padding: 24px;
        outline: none;
      }
      .skip {
        position: absolute;
        left: 16px;
        top: -100px;
        padding: 8px 12px;
        z-index: 30;
        border-radius: 8px;
        background: var(--card);
        color: var(--primary-text);
      }
      .skip:focus {
        top: 8px;
      }
      @media (max-width: 599.98px) {
        header {
          padding-top: env(safe-area-inset-top);
          box-sizing: content-box;
        }
        .bar {
          padding: 0 12px 0 20px;
        }
        .menu {
          margin-left: -16px;
        }
        select {
          max-width: 112px;
          height: 44px;
        }
        main {
          padding: 12px 12px calc(88px + env(safe-area-inset-bottom));
        }
        nav {
          position: fixed;
          inset: auto 0 0;
          gap: 0;
          height: calc(72px + env(safe-area-inset-bottom));
          padding-bottom: env(safe-area-inset-bottom);
          border-top: 1px solid var(--line);
          background: var(--card);
        }
        nav a {
          flex: 1;
          flex-direction: column;
          justify-content: center;
          gap: 4px;
          padding: 0;
          border: 0;
          font: 500 12px/16px Roboto, sans-serif;
        }
        nav .pill {
          display: grid;
          place-items: center;
          width: 56px;
          height: 28px;
          border-radius: 14px;
        }
        nav a[aria-current] {
          color: var(--primary-text);
        }
        nav a[aria-current] .pill {
          background: var(--tint);
        }
      }
    `,
  ];

  @property() view: ViewName = 'now';
  /** The homes that the server knows; with several of them one can be chosen. */
  @property({ attribute: false }) sites: readonly Pick<SiteStatus, 'id' | 'name'>[] = [];
  @property() site = '';
  /** With a button for Home Assistant's sidebar, which sends `menu`. */
  @property({ type: Boolean }) menu = false;
  @property({ attribute: false }) trust!: Trust;
  @property({ attribute: false }) formats!: Formats;
  @property({ type: Number }) nowUs = 0;

  override render(): TemplateResult {
    return html`<header>
        <button class="skip" role="link" @click=${this.skip}>${t('nav.skip')}</button>
        <div class="bar">
          ${this.menu ? html`<button class="menu" aria-label=${t('nav.menu')} @click=${this.openMenu}>${icon(mdiMenu)}</button>` : nothing}
          <h1>${t(`nav.${this.view}`)}</h1>
          <nav aria-label=${t('nav.label')}>
            ${VIEWS.map(
              (view) =>
                html`<a href=${view} aria-current=${view === this.view ? 'page' : nothing}
                  ><span class="pill">${icon(ICONS[view])}</span>${t(`nav.${view}`)}</a
                >`,
            )}
          </nav>
          ${this.sites.length > 1 ? this.renderSites() : nothing}
          <ed-trust-chip .trust=${this.trust} .formats=${this.formats} .nowUs=${this.nowUs}></ed-trust-chip>
        </div>
      </header>
      <main id="main" tabindex="-1"><slot></slot></main>`;
  }

  private openMenu(): void {
    this.dispatchEvent(new Event('menu'));
  }

  private renderSites(): TemplateResult {
    return html`<select aria-label=${t('nav.site')} @change=${this.chooseSite}>
      ${this.sites.map(({ id, name }) => html`<option value=${id} ?selected=${id === this.site}>${name}</option>`)}
    </select>`;
  }

  private chooseSite(event: Event): void {
    this.dispatchEvent(new SiteEvent((event.target as HTMLSelectElement).value));
  }

  private skip(): void {
    this.renderRoot.querySelector('main')?.focus();
  }
}
