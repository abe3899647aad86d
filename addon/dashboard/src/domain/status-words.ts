/** Status in words: the sentence, the gaps, the counters, the progress. */
import type { GapCause, SiteStatus, Sync, SyncGap } from '../api/types';
import { t, tcode, tn } from '../i18n';
import type { Formats } from './format';
import { SECOND_US, dateOf } from './time';

export type Gap = Pick<SyncGap, 'since_us' | 'until_us' | 'entities' | 'cause' | 'state'>;

const CAUSES: readonly GapCause[] = ['unreachable', 'home_assistant_stopped', 'server_stopped', 'outbox_full', 'damaged', 'clock', 'ha_off', 'purged', 'not_recorded', 'unknown'];

/** The gaps of a Site: as the sync says them, or until that is known as its status does. */
export function gapsOf({ gaps }: SiteStatus, sync: Sync | null): readonly Gap[] {
  return (
    sync?.gaps.list ??
    gaps.map(({ reason, ...gap }): Gap => ({ ...gap, cause: CAUSES.find((known) => known === reason) ?? 'unknown', state: reason === null ? 'open' : 'lost' }))
  );
}

/** How things are: now, or when the server was last heard. */
export interface Heard {
  readonly connected: boolean;
  readonly nowUs: number;
  /** The instant up to which things are known, where the server does not answer now. */
  readonly lastUs: number | null;
}

/** The whole hero: what is complete, what is missing, and what goes on. */
export function statusSentence(site: SiteStatus, heard: Heard, formats: Formats, sync: Sync | null = null): { complete: string; gaps: string; note: string } {
  const { live_since_us: live, share } = site.complete;
  const complete =
    live === null || share === null
      ? t('status.nothingYet')
      : t('status.complete', { share: formats.completeness(share), day: formats.dayWords(dateOf(live, formats.zone)) });
  const gaps = gapsSentence(gapsOf(site, sync), formats);
  if (heard.lastUs !== null) return { complete: t('status.asOf', { time: formats.moment(heard.lastUs, heard.nowUs), complete }), gaps, note: t('status.later') };
  return { complete, gaps, note: [noteOf(site, heard, formats), sync ? syncNote(sync, formats) : ''].filter(Boolean).join(' ') };
}

export function gapsSentence(gaps: readonly Gap[], formats: Formats): string {
  const [first] = gaps;
  if (!first) return t('status.noGaps');
  const length = formats.duration(gaps.reduce((sum, gap) => sum + gap.until_us - gap.since_us, 0));
  const open = gaps.filter(({ state }) => state === 'open').length;
  if (open > 0) return open === gaps.length ? tn('status.gapsOpen', open, { length }) : t('status.gapsSomeOpen', { count: gaps.length, length, open });
  if (gaps.some(({ cause }) => cause !== first.cause)) return tn('status.gaps', gaps.length, { length });
  const reason = t(`reason.${first.cause}`);
  return gaps.length === 2 ? t('status.gapsTwo', { length, reason }) : tn('status.gapsReason', gaps.length, { length, reason });
}

/** "Nothing is waiting to be filled. Last check against Home Assistant’s recorder: 13:05." */
function syncNote({ gaps, audits, recorder, now_us }: Sync, formats: Formats): string {
  const clauses = [gaps.open === 0 ? t('status.nothingWaits') : ''];
  const checked = Math.max(audits.day_us ?? 0, audits.all_us ?? 0);
  if (checked > 0) clauses.push(t('status.checked', { time: formats.moment(checked, now_us) }));
  if (recorder && recorder.state !== 'ready') clauses.push(t(`recorder.${recorder.state}`));
  return clauses.filter(Boolean).join(' ');
}

function noteOf(site: SiteStatus, { connected, nowUs }: Heard, formats: Formats): string {
  const clauses: string[] = [];
  const { importing, since_us: since } = site.link;
  if (importing) clauses.push(t('status.importing', importing));
  const statistics = site.complete.statistics_since_us;
  if (statistics !== null) clauses.push(t('status.back', { day: formats.dayWords(dateOf(statistics, formats.zone)) }));
  if (connected) clauses.push(t('status.connected', { ha: site.ha_version }));
  else if (since !== null) clauses.push(t('status.notConnected', { time: formats.moment(since, nowUs) }));
  return clauses.join(' ');
}

/** "2, neither can be filled", "3 open" */
export function gapsCount(gaps: readonly Gap[]): string {
  if (gaps.length === 0) return t('gaps.none');
  const open = gaps.filter(({ state }) => state === 'open').length;
  if (open > 0) return t('gaps.open', { count: open });
  return gaps.length === 2 ? t('gaps.final.two') : tn('gaps.final', gaps.length);
}

/** A span of time: "14:02 to 15:24", "14:02 to Wed 16 09:00". */
export function spanWords(sinceUs: number, untilUs: number, formats: Formats): string {
  const last = dateOf(untilUs, formats.zone);
  const until = last === dateOf(sinceUs, formats.zone) ? formats.time(untilUs) : `${formats.dayShort(last)} ${formats.time(untilUs)}`;
  return t('energy.read', { from: formats.time(sinceUs), to: until });
}

/** A gap as an item: its day, its length, its hours and cause. */
export function gapWords(gap: Gap, formats: Formats): { day: string; length: string; what: string } {
  return {
    day: formats.dayMiddle(dateOf(gap.since_us, formats.zone)),
    length: formats.duration(gap.until_us - gap.since_us),
    what: `${spanWords(gap.since_us, gap.until_us, formats)}, ${tn('gap.entities', gap.entities)}. ${t(`gap.${gap.cause}`)} ${t(gap.state === 'open' ? 'gap.open' : 'gap.lost')}`,
  };
}

/** "about 4 min", or nothing that could be said. */
export function etaWords(seconds: number | null, formats: Formats): string {
  return seconds === null ? t('progress.noEta') : t('progress.eta', { length: formats.duration(Math.max(1, seconds) * SECOND_US) });
}

/** How far work is: 0 to 1. */
export const shareOf = (done: number, total: number): number => (total > 0 ? Math.min(1, done / total) : 0);

/** "12 not a number, 3 too long", or "none". */
export function counterWords(prefix: 'refused' | 'skipped', counters: Record<string, number>, formats: Formats): string {
  const items = Object.entries(counters)
    .filter(([, count]) => count > 0)
    .sort((a, b) => b[1] - a[1])
    .map(([code, count]) => t('counter.item', { count: formats.count(count), what: tcode(prefix, code, `${prefix}.other`) }));
  return items.length > 0 ? items.join(', ') : t('link.none');
}
