/** What the trust chip says. */
import type { SiteStatus } from '../api/types';
import { MINUTE_US } from './time';

export type Connection = 'connecting' | 'open' | 'down';

export type Trust =
  | { state: 'connecting' }
  | { state: 'off' }
  | { state: 'waiting'; sinceUs: number | null }
  | { state: 'importing'; share: number }
  | { state: 'live'; newestUs: number; complete: number | null };

export const STALE_US = MINUTE_US;

export interface TrustInput {
  connection: Connection;
  site: SiteStatus | null;
  siteConnected: boolean;
  newestUs: number | null;
  nowUs: number;
}

/** The server first, then Home Assistant, then the age of the newest reading: the first that is not well is said. */
export function trustOf({ connection, site, siteConnected, newestUs, nowUs }: TrustInput): Trust {
  if (connection === 'down') return { state: 'off' };
  if (connection === 'connecting') return { state: 'connecting' };
  if (!site || newestUs === null) return { state: 'waiting', sinceUs: null };
  if (!siteConnected || nowUs - newestUs > STALE_US) return { state: 'waiting', sinceUs: newestUs };
  const share = importShare(site);
  return share === null ? { state: 'live', newestUs, complete: site.complete.share } : { state: 'importing', share };
}

/** The share of Entities whose history has arrived, while it is arriving. */
export function importShare({ link: { importing } }: SiteStatus): number | null {
  return importing && importing.done < importing.total ? importing.done / importing.total : null;
}
