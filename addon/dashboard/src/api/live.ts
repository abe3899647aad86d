/** The WebSocket api/live: typed messages in, until it closes. */
import type { LiveMessage, LiveRow } from './types';

export interface LiveHandlers {
  onMessage: (message: LiveMessage) => void;
  onClose: (opened: boolean) => void;
}

const TYPES: readonly string[] = ['snapshot', 'readings', 'link', 'catalog', 'statistics'];

/** Null for what this build does not know, so that a newer server may say more. */
export function parseLive(text: string): LiveMessage | null {
  const message: unknown = JSON.parse(text);
  if (typeof message !== 'object' || message === null || !('type' in message)) return null;
  return TYPES.includes(String(message.type)) ? (message as LiveMessage) : null;
}

/** `site`: null for all. */
export function openLive(site: string | null, { onMessage, onClose }: LiveHandlers): WebSocket {
  const url = new URL('api/live', document.baseURI);
  if (site !== null) url.searchParams.set('site', site);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  const socket = new WebSocket(url);
  let opened = false;
  socket.addEventListener('open', () => {
    opened = true;
  });
  socket.addEventListener('message', (event: MessageEvent<unknown>) => {
    const message = typeof event.data === 'string' ? parseLive(event.data) : null;
    if (message) onMessage(message);
  });
  socket.addEventListener('close', () => {
    onClose(opened);
  });
  return socket;
}

export type { LiveMessage, LiveRow };
