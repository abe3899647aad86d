/**
 * Addresses: `now`, `energy?month=2026-11&compare=year`, `status`, `now?site=…` where there are several Sites; relative to the
 * page's base. Home Assistant's panel, which frames the page, is told of each, and may ask for one.
 */
import { PRESENT_DAY, parseChosen, queryOf, type Chosen } from '../domain/periods';
import { whenPainted } from './painted';
import { listenToPanel, tellPanel } from './panel';

export const VIEWS = ['now', 'energy', 'status'] as const;
export type ViewName = (typeof VIEWS)[number];

export interface Route {
  view: ViewName;
  /** The period of the Energy view. */
  chosen: Chosen;
  /** Null for the first one. */
  site: string | null;
}

/** To the panel around the page, and from it. */
const ADDRESS_MESSAGE = 'energy-dashboard-address';

/** The route of a path below the base; anything unknown is Now. */
export function parseRoute(path: string, search: string): Route {
  const name = path.replace(/^\/+|\/+$/g, '');
  const view = VIEWS.find((known) => known === name) ?? 'now';
  return { view, chosen: view === 'energy' ? parseChosen(search) : PRESENT_DAY, site: new URLSearchParams(search).get('site') };
}

/** The address of a route, relative to the base. */
export function addressOf({ view, chosen, site }: Route): string {
  const query = [view === 'energy' ? queryOf(chosen) : '', site === null ? '' : new URLSearchParams({ site }).toString()].filter(Boolean).join('&');
  return query ? `${view}?${query}` : view;
}

export class Router {
  route: Route;
  /** How often the browser went through its history. */
  private left = 0;

  constructor(private readonly onChange: () => void) {
    this.route = this.read();
    this.tell();
    addEventListener('popstate', () => {
      this.left += 1;
      this.route = this.read();
      this.changed();
    });
    listenToPanel((data) => {
      if (!isAddress(data)) return;
      const { pathname, search } = new URL(data.address, location.origin);
      this.go(parseRoute(pathname, search));
    });
  }

  go(route: Route): void {
    if (addressOf(route) === addressOf(this.route)) return;
    this.route = route;
    this.changed();
    const { left } = this;
    // The browser takes its time for an address: what was asked for is shown first. What was left meanwhile is no longer there.
    whenPainted(() => {
      if (left === this.left) history.pushState(null, '', new URL(addressOf(route), document.baseURI));
    });
  }

  private changed(): void {
    this.tell();
    this.onChange();
  }

  private tell(): void {
    tellPanel({ type: ADDRESS_MESSAGE, address: addressOf(this.route), menu: true });
  }

  private read(): Route {
    const base = new URL(document.baseURI).pathname;
    const path = location.pathname.startsWith(base) ? location.pathname.slice(base.length) : '';
    return parseRoute(path, location.search);
  }
}

function isAddress(data: unknown): data is { address: string } {
  return typeof data === 'object' && data !== null && 'type' in data && data.type === ADDRESS_MESSAGE && 'address' in data && typeof data.address === 'string';
}
