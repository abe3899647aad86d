// @vitest-environment jsdom
import { beforeEach, expect, it } from 'vitest';
import { Router, parseRoute } from '../src/state/router';
import { whenPainted } from '../src/state/painted';

beforeEach(() => {
  const base = document.createElement('base');
  base.href = '/';
  document.head.replaceChildren(base);
});

const painted = (): Promise<void> => new Promise((resolve) => { whenPainted(resolve); });
const address = (): string => location.pathname + location.search;

it('an address is kept once what it leads to is on the screen', async () => {
  history.replaceState(null, '', '/now');
  const router = new Router(() => undefined);
  router.go(parseRoute('energy', '?day=2026-11-20'));
  await painted();
  expect(address()).toBe('/energy?day=2026-11-20');
});

it('an address that is left before it is kept is not kept any more', async () => {
  history.replaceState(null, '', '/energy');
  const router = new Router(() => undefined);
  router.go(parseRoute('energy', '?day=2026-11-20'));
  history.replaceState(null, '', '/status'); // as the browser does on its way back
  dispatchEvent(new PopStateEvent('popstate'));
  await painted();
  expect([router.route.view, address()]).toEqual(['status', '/status']);
});
