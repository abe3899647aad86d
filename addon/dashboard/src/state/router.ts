/** Addresses: `now`, `energy?day=2026-11-20`, `status`, relative to the page's base. */
import { isDate } from '../domain/time';

export const VIEWS = ['now', 'energy', 'status'] as const;
export type ViewName = (typeof VIEWS)[number];

export interface Route {
  view: ViewName;
  /** The day of the Energy view; null is today. */
  day: string | null;
}

/** The route of a path below the base; anything unknown is Now. */
export function parseRoute(path: string, search: string): Route {
  const name = path.replace(/^\/+|\/+$/g, '');
  const view = VIEWS.find((known) => known === name) ?? 'now';
  const day = new URLSearchParams(search).get('day');
  return { view, day: view === 'energy' && day !== null && isDate(day) ? day : null };
}

/** The address of a route, relative to the base. */
export function addressOf({ view, day }: Route): string {
  return view === 'energy' && day !== null ? `${view}?day=${day}` : view;
}

export class Router {
  route: Route;

  constructor(private readonly onChange: () => void) {
    this.route = this.read();
    addEventListener('popstate', () => {
      this.route = this.read();
      this.onChange();
    });
  }

  go(route: Route): void {
    if (addressOf(route) === addressOf(this.route)) return;
    this.route = route;
    history.pushState(null, '', new URL(addressOf(route), document.baseURI));
    this.onChange();
  }

  private read(): Route {
    const base = new URL(document.baseURI).pathname;
    const path = location.pathname.startsWith(base) ? location.pathname.slice(base.length) : '';
    return parseRoute(path, location.search);
  }
}
