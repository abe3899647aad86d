/**
 * Home Assistant's panel around the page, where there is one: messages to it and from it, of this origin only.
 * The panel says whether Home Assistant hides its sidebar; then the page's own bar has the button that opens it.
 */
const NARROW_MESSAGE = 'energy-dashboard-narrow';
const MENU_MESSAGE = 'energy-dashboard-menu';

export function tellPanel(message: object): void {
  if (parent !== window) parent.postMessage(message, location.origin);
}

export function listenToPanel(listener: (data: unknown) => void): void {
  if (parent === window) return;
  addEventListener('message', ({ source, origin, data }: MessageEvent<unknown>) => {
    if (source === parent && origin === location.origin) listener(data);
  });
}

export function openMenu(): void {
  tellPanel({ type: MENU_MESSAGE });
}

/** Whether Home Assistant's sidebar is hidden now. */
export function watchNarrow(onChange: (narrow: boolean) => void): void {
  listenToPanel((data) => {
    if (typeof data === 'object' && data !== null && 'type' in data && data.type === NARROW_MESSAGE && 'narrow' in data) onChange(data.narrow === true);
  });
}
