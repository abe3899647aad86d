/** Status in words: the sentence, the gaps, the counters. */
import type { SiteStatus } from '../api/types';
import { t, tcode, tn } from '../i18n';
import type { Formats } from './format';
import { dateOf } from './time';

export type Gap = SiteStatus['gaps'][number];

const REASONS = ['ha_off', 'not_recorded', 'purged', 'no_statistics'] as const;
type Reason = (typeof REASONS)[number];
const reasonOf = (reason: string | null): Reason | 'unknown' => REASONS.find((known) => known === reason) ?? 'unknown';

/** The whole hero: what is complete, what is missing, and what goes on. */
export function statusSentence(site: SiteStatus, connected: boolean, formats: Formats): { complete: string; gaps: string; note: string } {
  const { live_since_us: live, share } = site.complete;
  const complete =
    live === null || share === null
      ? t('status.nothingYet')
      : t('status.complete', { share: formats.completeness(share), day: formats.dayWords(dateOf(live, formats.zone)) });
  return { complete, gaps: gapsSentence(site.gaps, formats), note: noteOf(site, connected, formats) };
}

export function gapsSentence(gaps: readonly Gap[], formats: Formats): string {
  if (gaps.length === 0) return t('status.noGaps');
  const length = formats.duration(gaps.reduce((sum, gap) => sum + gap.until_us - gap.since_us, 0));
  const first = reasonOf(gaps[0]?.reason ?? null);
  if (first === 'unknown' || gaps.some((gap) => reasonOf(gap.reason) !== first)) return tn('status.gaps', gaps.length, { length });
  const reason = t(`reason.${first}`);
  return gaps.length === 2 ? t('status.gapsTwo', { length, reason }) : tn('status.gapsReason', gaps.length, { length, reason });
}

function noteOf(site: SiteStatus, connected: boolean, formats: Formats): string {
  const clauses: string[] = [];
  const { importing, since_us: since } = site.link;
  if (importing) clauses.push(t('status.importing', importing));
  const statistics = site.complete.statistics_since_us;
  if (statistics !== null) clauses.push(t('status.back', { day: formats.dayWords(dateOf(statistics, formats.zone)) }));
  if (connected) clauses.push(t('status.connected', { ha: site.ha_version }));
  else if (since !== null) clauses.push(t('status.notConnected', { time: formats.dayBrief(dateOf(since, formats.zone)) }));
  return clauses.join(' ');
}

/** "2, neither can be filled", "3 open" */
export function gapsCount(gaps: readonly Gap[]): string {
  if (gaps.length === 0) return t('gaps.none');
  const open = gaps.filter((gap) => reasonOf(gap.reason) === 'unknown').length;
  if (open > 0) return t('gaps.open', { count: open });
  return gaps.length === 2 ? t('gaps.final.two') : tn('gaps.final', gaps.length);
}

/** A gap as an item: its day, its length, its hours and cause. */
export function gapWords(gap: Gap, formats: Formats): { day: string; length: string; what: string } {
  const day = dateOf(gap.since_us, formats.zone);
  const last = dateOf(gap.until_us, formats.zone);
  const until = last === day ? formats.time(gap.until_us) : `${formats.dayShort(last)} ${formats.time(gap.until_us)}`;
  return {
    day: formats.dayMiddle(day),
    length: formats.duration(gap.until_us - gap.since_us),
    what: `${t('energy.read', { from: formats.time(gap.since_us), to: until })}, ${tn('gap.entities', gap.entities)}. ${t(`gap.${reasonOf(gap.reason)}`)}`,
  };
}

/** "12 not a number, 3 too long", or "none". */
export function counterWords(prefix: 'refused' | 'skipped', counters: Record<string, number>, formats: Formats): string {
  const items = Object.entries(counters)
    .filter(([, count]) => count > 0)
    .sort((a, b) => b[1] - a[1])
    .map(([code, count]) => t('counter.item', { count: formats.count(count), what: tcode(prefix, code, `${prefix}.other`) }));
  return items.length > 0 ? items.join(', ') : t('link.none');
}
