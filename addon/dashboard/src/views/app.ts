/** The page: sign in, or the frame with the view of the address. */
import { mdiAlertCircleOutline, mdiHomeImportOutline, mdiLanDisconnect, mdiPowerPlug } from '@mdi/js';
import { LitElement, css, html, nothing, type TemplateResult } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import { UNREACHABLE, UnauthorizedError, isApiFailure } from '../api/client';
import type { SiteStatus } from '../api/types';
import '../components/message/message';
import '../components/message/shapes';
import type { SiteEvent } from '../components/shell/shell';
import '../components/shell/shell';
import { t } from '../i18n';
import { StoreController } from '../state/controller';
import { openMenu, watchNarrow } from '../state/panel';
import { Router, VIEWS, addressOf, parseRoute } from '../state/router';
import { exchangeAddressToken } from '../state/session';
import { Store } from '../state/store';
import { base, button, card } from '../styles/shared';
import type { ChosenEvent } from './energy';
import './energy';
import './login';
import './now';
import './status';

const SHAPES_AFTER_MS = 300;
const NO_SITES: SiteStatus[] = [];

@customElement('ed-app')
export class EdApp extends LitElement {
  static override styles = [
    base,
    card,
    button,
    css`
      .banner {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 4px 16px;
        margin-bottom: 16px;
      }
      .banner span {
        flex: 1;
        min-width: 240px;
      }
      .banner b {
        font-weight: 500;
        color: var(--error);
      }
      @media (max-width: 599.98px) {
        .banner {
          margin-bottom: 12px;
        }
      }
    `,
  ];

  private readonly router = new Router(() => {
    this.requestUpdate();
  });
  readonly store = new Store(this.router.route.site);
  @state() private shapes = false;
  /** Home Assistant's sidebar is hidden, and opened by a button of ours. */
  @state() private menu = false;

  constructor() {
    super();
    new StoreController(this, () => this.store, ['state', 'clock']);
    watchNarrow((narrow) => {
      this.menu = narrow;
    });
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.addEventListener('click', this.follow);
    setTimeout(() => {
      this.shapes = true;
    }, SHAPES_AFTER_MS);
    void this.start();
  }

  override render(): TemplateResult {
    if (this.store.needsToken) return html`<ed-login-view @signed-in=${this.retry}></ed-login-view>`;
    const { route } = this.router;
    document.title = `${t(`nav.${route.view}`)} · ${t('app.name')}`;
    return html`<ed-shell .view=${route.view} .sites=${this.store.status?.sites ?? NO_SITES} site=${this.store.site?.id ?? ''} .trust=${this.store.trust} .formats=${this.store.formats} .nowUs=${this.store.nowUs} ?menu=${this.menu} @site=${this.chooseSite} @menu=${openMenu}>${this.renderBanner()}${this.renderContent()}</ed-shell>`;
  }

  /** The server is away, but what is known stays on the page. */
  private renderBanner(): TemplateResult | typeof nothing {
    const { failure, status } = this.store;
    if (!failure || !status || this.knowsNothing) return nothing;
    const heading = t(failure.code === UNREACHABLE ? 'error.unreachable' : 'error.server');
    return html`<div class="card banner" role="alert">
      <span><b>${heading}.</b> <span class="second">${t('error.known')} ${this.retryWords()}</span></span>
      <button class="button" @click=${this.retry}>${t('error.again')}</button>
    </div>`;
  }

  /** The server answers, but could not open its stores: no home is known, which does not mean that there is none. */
  private get knowsNothing(): boolean {
    return this.store.status?.trouble != null && this.store.site === null;
  }

  private retryWords(): string {
    const { failure, retryAtMs } = this.store;
    const seconds = Math.max(0, Math.ceil(((retryAtMs ?? 0) - performance.now()) / 1000));
    return failure && failure.code !== UNREACHABLE ? t('error.retryCode', { code: failure.code, seconds }) : t('error.retryIn', { seconds });
  }

  private renderContent(): TemplateResult | typeof nothing {
    const { store } = this;
    const { route } = this.router;
    if (store.status === null) return this.renderWithout();
    if (route.view === 'status') return html`<ed-status-view .store=${store}></ed-status-view>`;
    if (this.knowsNothing) return this.renderWithout();
    if (store.site === null) {
      return html`<div class="card"><ed-message .icon=${mdiHomeImportOutline} heading=${t('empty.title')} text=${t('empty.noSite')}></ed-message></div>`;
    }
    if (store.entities?.length === 0) {
      return html`<div class="card"><ed-message .icon=${mdiPowerPlug} heading=${t('empty.title')} text=${t('empty.noEntity')}></ed-message></div>`;
    }
    return route.view === 'now'
      ? html`<ed-now-view .store=${store}></ed-now-view>`
      : html`<ed-energy-view .store=${store} .chosen=${route.chosen} @chosen=${this.choose}></ed-energy-view>`;
  }

  /** Before the first answer: shapes, or why there is none. */
  private renderWithout(): TemplateResult | typeof nothing {
    const { failure } = this.store;
    if (!failure) {
      return this.shapes ? html`<div class="card"><ed-shapes .height=${480} .shapes=${FIRST_SHAPES}></ed-shapes></div>` : nothing;
    }
    const unreachable = failure.code === UNREACHABLE;
    return html`<div class="card">
      <ed-message
        error
        .icon=${unreachable ? mdiLanDisconnect : mdiAlertCircleOutline}
        heading=${t(unreachable ? 'error.unreachable' : 'error.server')}
        text=${unreachable ? t('error.unreachable.what') : t('error.server.what', { message: failure.message })}
        action=${t('error.again')}
        code=${this.retryWords()}
        @action=${this.retry}
      ></ed-message>
    </div>`;
  }

  private async start(): Promise<void> {
    try {
      await exchangeAddressToken();
    } catch (error) {
      // A token that is refused leads to the sign-in page; an unreachable server says so by the store itself.
      if (!isApiFailure(error)) throw error;
      if (error instanceof UnauthorizedError) this.store.needsToken = true;
    }
    await this.store.run();
  }

  private readonly retry = (): void => {
    this.store.retryNow();
    this.requestUpdate();
  };

  private choose(event: ChosenEvent): void {
    this.router.go({ ...this.router.route, view: 'energy', chosen: event.chosen });
  }

  /** Another home is another page: nothing of the former one stays. */
  private chooseSite({ site }: SiteEvent): void {
    location.assign(new URL(addressOf({ ...this.router.route, site }), document.baseURI));
  }

  /** Links to views change the address without loading the page anew. */
  private readonly follow = (event: MouseEvent): void => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return;
    const link = event.composedPath().find((node): node is HTMLAnchorElement => node instanceof HTMLAnchorElement);
    const path = link?.getAttribute('href') ?? '';
    if (!VIEWS.some((view) => view === path)) return;
    event.preventDefault();
    this.router.go({ ...parseRoute(path, ''), site: this.router.route.site });
    scrollTo(0, 0);
  };
}

const FIRST_SHAPES = [
  { x: 0, y: 0, w: 34, h: 16 },
  { x: 0, y: 28, w: 24, h: 16 },
  { x: 40, y: 72, w: 20, h: 72 },
  { x: 0, y: 204, w: 20, h: 72 },
  { x: 78, y: 204, w: 22, h: 72 },
  { x: 40, y: 336, w: 20, h: 72 },
];
