/** How intervals are known: marks for under the axis, and one line of text that says the same. */
import type { Provenance } from '../api/types';
import { t, type Key } from '../i18n';
import { listWords } from './format';

export interface Mark {
  kind: Exclude<Provenance, 'measured'>;
  /** Places of the first interval and of the one after the last. */
  from: number;
  until: number;
  /** Missing in part: something is known of these intervals. */
  partly: boolean;
}

/** Runs of equal provenance other than measured. `length`: intervals after it have not happened yet; `before`: those at the left precede all records. */
export function marksOf(provenance: readonly Provenance[], length = provenance.length, partly: (i: number) => boolean = () => false, before = 0): Mark[] {
  const marks: Mark[] = [];
  for (let i = before; i < length; i++) {
    const kind = provenance[i];
    if (kind !== undefined && kind !== 'measured') addMark(marks, i, kind, partly(i));
  }
  return marks;
}

function addMark(marks: Mark[], i: number, kind: Mark['kind'], partly: boolean): void {
  const last = marks.at(-1);
  if (last?.kind === kind && last.until === i && last.partly === partly) last.until = i + 1;
  else marks.push({ kind, from: i, until: i + 1, partly });
}

export interface Known {
  provenance: readonly Provenance[];
  /** Intervals that have happened. */
  known: number;
  /** Whether an interval is known in part although its provenance says missing. */
  partly: (i: number) => boolean;
  /** Intervals at the left that precede all records: nothing is said of them. */
  before?: number;
}

const ORDER: readonly Mark['kind'][] = ['missing', 'interpolated', 'backfilled', 'statistics'];
const ALL: Record<Provenance, Key> = {
  measured: 'known.all.measured',
  backfilled: 'known.all.backfilled',
  interpolated: 'known.all.interpolated',
  statistics: 'known.all.statistics',
  missing: 'known.all.missing',
};
const LONGEST_LIST = 3;

function spansText(marks: readonly Mark[], spanOf: (from: number, until: number) => string): string {
  const spans = marks.map((mark) => spanOf(mark.from, mark.until));
  if (spans.length <= LONGEST_LIST) return listWords(spans);
  return t('known.more', { list: spans.slice(0, 2).join(', '), n: spans.length - 2 });
}

/** "09:00–10:00 backfilled from Home Assistant. All else measured, nothing missing." */
export function knownSentence({ provenance, known: length, partly, before = 0 }: Known, spanOf: (from: number, until: number) => string): string {
  if (length <= before) return '';
  const first = provenance[before] ?? 'missing';
  const judged = provenance.slice(before, length);
  const alike = judged.every((kind, i) => kind === first && !partly(before + i));
  if (alike) return t(ALL[first] as 'known.all.measured');
  const marks = marksOf(provenance, length, partly, before);
  const clause = (own: readonly Mark[], key: 'known.span.missing'): string[] => (own.length > 0 ? [t(key, { spans: spansText(own, spanOf) })] : []);
  const clauses = ORDER.flatMap((kind) => {
    const own = marks.filter((mark) => mark.kind === kind);
    const key = `known.span.${kind}` as 'known.span.missing';
    return [...clause(own.filter((mark) => !mark.partly), key), ...clause(own.filter((mark) => mark.partly), 'known.span.partly' as 'known.span.missing')];
  });
  const missing = marks.some((mark) => mark.kind === 'missing');
  if (judged.includes('measured')) clauses.push(t(missing ? 'known.rest.measured' : 'known.rest.measuredAll'));
  return clauses.join(' ');
}
