/** Addresses: `now`, `energy?month=2026-11&compare=year`, `status`, relative to the page's base. */
import { PRESENT_DAY, parseChosen, queryOf, type Chosen } from '../domain/periods';

export const VIEWS = ['now', 'energy', 'status'] as const;
export type ViewName = (typeof VIEWS)[number];

export interface Route {
  view: ViewName;
  /** The period of the Energy view. */
  chosen: Chosen;
}

/** The route of a path below the base; anything unknown is Now. */
export function parseRoute(path: string, search: string): Route {
  const name = path.replace(/^\/+|\/+$/g, '');
  const view = VIEWS.find((known) => known === name) ?? 'now';
  return { view, chosen: view === 'energy' ? parseChosen(search) : PRESENT_DAY };
}

/** The address of a route, relative to the base. */
export function addressOf({ view, chosen }: Route): string {
  const query = view === 'energy' ? queryOf(chosen) : '';
  return query ? `${view}?${query}` : view;
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
