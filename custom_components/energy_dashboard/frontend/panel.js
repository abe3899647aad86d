/**
 * The sidebar panel: a frame around the dashboard, which the integration's proxy serves on this origin.
 *
 * In:  what Home Assistant gives to a panel: `hass`, `narrow`, `panel.config` ({session, page}: two paths).
 * Out: the dashboard in a frame. A path that Home Assistant signs for this user is exchanged for a cookie, again and
 *      again before it ends; where that fails it says so and offers to try again. The dashboard's own address follows
 *      the panel's in Home Assistant's, so that a reload or a link opens the same view.
 */
const MENU = 'M3,6H21V8H3V6M3,11H21V13H3V11M3,16H21V18H3V16Z';
const RETRY_MS = 5_000;
const ADDRESS = 'energy-dashboard-address';
const NARROW_MESSAGE = 'energy-dashboard-narrow';
const MENU_MESSAGE = 'energy-dashboard-menu';

const SKELETON = `
<style>
  :host { display: flex; flex-direction: column; height: 100%; background: var(--primary-background-color); }
  header { display: none; align-items: center; gap: 8px; flex: none; height: var(--header-height, 56px); padding: var(--safe-area-inset-top, 0px) 4px 0;
    background: var(--app-header-background-color); color: var(--app-header-text-color, #fff); font-size: 20px; }
  :host([narrow]) header { display: flex; }
  :host([menu]) header { height: 0; padding-bottom: 0; min-height: var(--safe-area-inset-top, 0px); overflow: hidden; }
  :host([menu]) header > * { display: none; }
  button { font: inherit; color: inherit; background: none; border: 0; cursor: pointer; min-width: 48px; height: 48px; }
  svg { width: 24px; height: 24px; fill: currentcolor; vertical-align: middle; }
  iframe { flex: auto; border: 0; width: 100%; min-height: 0; }
  [role='alert'] { padding: 24px; color: var(--primary-text-color); }
  [role='alert'] button { border: 1px solid currentcolor; border-radius: 8px; padding: 0 16px; }
  [hidden] { display: none; }
</style>
<header><button type="button" aria-label="Menu"><svg viewBox="0 0 24 24" aria-hidden="true"><path d="${MENU}" /></svg></button><span>Energy Dashboard</span></header>
<div role="alert" hidden><p></p><button type="button">Try again</button></div>
<iframe title="Energy Dashboard"></iframe>`;

class EnergyDashboardPanel extends HTMLElement {
  #hass;
  #config;
  #path; // of the panel in Home Assistant
  #shown = ''; // the dashboard's address, relative to it
  #timer;
  #ends = 0;
  #renewing = false;
  #root = this.attachShadow({ mode: 'open' });
  #wake = () => {
    if (document.visibilityState === 'visible' && Date.now() > this.#ends) void this.#renew();
  };

  #hear = ({ source, origin, data }) => {
    if (source !== this.#frame.contentWindow || origin !== location.origin) return;
    if (data?.type === ADDRESS) this.#follow(data);
    if (data?.type === MENU_MESSAGE) this.#openMenu();
  };
  /** Home Assistant went somewhere: perhaps to another address of the dashboard. */
  #lead = () => {
    const asked = this.#asked();
    if (asked === null || asked === this.#shown) return;
    this.#frame.contentWindow.postMessage({ type: ADDRESS, address: asked }, location.origin);
  };

  constructor() {
    super();
    this.#root.innerHTML = SKELETON;
    this.#root.querySelector('header button').addEventListener('click', () => this.#openMenu());
    this.#root.querySelector('[role=alert] button').addEventListener('click', () => void this.#renew());
  }

  set hass(hass) {
    const before = this.#hass;
    this.#hass = hass;
    const back = hass.connected && before?.connected === false;
    if (back) this.#ends = 0; // Home Assistant may have started anew, without any session
    if (back || !before) this.#begin();
  }

  set panel(panel) {
    this.#config = panel.config;
    this.#path = `/${panel.url_path}`;
    this.#begin();
  }

  set narrow(narrow) {
    this.toggleAttribute('narrow', narrow);
    this.#tellNarrow();
  }

  connectedCallback() {
    document.addEventListener('visibilitychange', this.#wake);
    addEventListener('message', this.#hear);
    addEventListener('location-changed', this.#lead);
    this.#begin();
  }

  disconnectedCallback() {
    document.removeEventListener('visibilitychange', this.#wake);
    removeEventListener('message', this.#hear);
    removeEventListener('location-changed', this.#lead);
    clearTimeout(this.#timer);
  }

  #begin() {
    if (this.isConnected && this.#hass && this.#config) void this.#renew();
  }

  async #renew() {
    if (this.#renewing) return;
    this.#renewing = true;
    clearTimeout(this.#timer);
    const late = Date.now() > this.#ends;
    try {
      // Proxies may change the Host, so the origin is named, and signed with the path.
      const path = `${this.#config.session}?origin=${encodeURIComponent(location.origin)}`;
      const signed = await this.#hass.callWS({ type: 'auth/sign_path', path });
      const answer = await fetch(signed.path, { credentials: 'same-origin', cache: 'no-store' });
      if (!answer.ok) throw new Error(`Home Assistant answered ${answer.status}.`);
      const { expires_s: lastsS } = await answer.json();
      this.#ends = Date.now() + lastsS * 1000;
      this.#wait((lastsS * 1000) / 2);
      this.#show(late);
    } catch (error) {
      this.#wait(RETRY_MS);
      if (late) this.#say(error.message ?? String(error));
    } finally {
      this.#renewing = false;
    }
  }

  #wait(ms) {
    if (this.isConnected) this.#timer = setTimeout(() => void this.#renew(), ms);
  }

  get #frame() {
    return this.#root.querySelector('iframe');
  }

  /** The dashboard went somewhere. One with a menu button of its own needs no header above it. */
  #follow({ address, menu }) {
    this.#shown = String(address);
    const asked = this.#asked();
    if (asked !== null && asked !== this.#shown) history.replaceState(history.state, '', `${this.#path}/${this.#shown}`);
    this.toggleAttribute('menu', menu === true);
    this.#tellNarrow();
  }

  #tellNarrow() {
    this.#frame.contentWindow?.postMessage({ type: NARROW_MESSAGE, narrow: this.hasAttribute('narrow') }, location.origin);
  }

  #openMenu() {
    this.dispatchEvent(new CustomEvent('hass-toggle-menu', { bubbles: true, composed: true }));
  }

  /** The dashboard's address in Home Assistant's; null while that shows another panel. */
  #asked() {
    const { pathname, search } = location;
    if (pathname === this.#path) return search.slice(1) ? `now${search}` : 'now';
    return pathname.startsWith(`${this.#path}/`) ? pathname.slice(this.#path.length + 1) + search : null;
  }

  #show(anew) {
    const frame = this.#frame;
    this.#root.querySelector('[role=alert]').hidden = true;
    frame.hidden = false;
    if (!frame.src) frame.src = this.#config.page + (this.#asked() ?? '');
    else if (anew) frame.contentWindow.location.reload();
  }

  #say(reason) {
    this.#frame.hidden = true;
    this.toggleAttribute('menu', false);
    this.#root.querySelector('[role=alert]').hidden = false;
    this.#root.querySelector('[role=alert] p').textContent = `The Energy Dashboard cannot be opened: ${reason}`;
  }
}

if (!customElements.get('energy-dashboard-panel')) customElements.define('energy-dashboard-panel', EnergyDashboardPanel);
