/**
 * Periods that were shown or may be shown next: what is in here is painted with the click that asks for it.
 * In:  what is asked for; spans of which the server has new Statistics. Out: a period's energy, and when it was fetched.
 */
import { daysOf, spanOf } from '../domain/periods';
import { MINUTE_US } from '../domain/time';
import { nameOf, type Asked, type PeriodEnergy } from './period-energy';

export interface Kept {
  of: PeriodEnergy;
  /** `performance.now()` when it was asked for. */
  atMs: number;
  /** The server has newer Statistics of it. */
  old: boolean;
}

interface Coming {
  kept: Promise<Kept>;
  signal: AbortSignal;
}

type Fetch = (asked: Asked, signal: AbortSignal) => Promise<PeriodEnergy>;

const MOST = 40;
const OPEN_FOR_MS = 60_000;
const OVER_FOR_MS = 600_000;
const PAUSE_MS = 150;

export class PeriodCache {
  private readonly kept = new Map<string, Kept>();
  private ahead: AbortController | null = null;
  private readonly coming = new Map<string, Coming>();

  constructor(
    private readonly fetch: Fetch,
    private readonly nowUs: () => number,
  ) {}

  /** What is known of it and may still be shown. */
  peek(asked: Asked): Kept | null {
    const name = nameOf(asked);
    const found = this.kept.get(name);
    if (!found) return null;
    const over = spanOf(asked.period, asked.zone).endUs < this.nowUs() - MINUTE_US;
    if (performance.now() - found.atMs < (over ? OVER_FOR_MS : OPEN_FOR_MS)) return found;
    this.kept.delete(name);
    return null;
  }

  /** Fetches it, or waits for what is on its way. */
  load(asked: Asked, signal: AbortSignal): Promise<Kept> {
    const coming = this.coming.get(nameOf(asked));
    return coming && !coming.signal.aborted ? coming.kept : this.begin(asked, signal);
  }

  /** Fetches these one after the other, until others are asked for. Nothing is said of what fails: it is asked for again when it is to be shown. */
  prepare(list: readonly Asked[]): void {
    this.ahead?.abort();
    const ahead = (this.ahead = new AbortController());
    void this.prepareEach(list, ahead.signal);
  }

  /** The Statistics of a span are new. A period that is not over may still be shown until it is fetched anew. */
  forget(startUs: number, endUs: number): void {
    for (const [name, kept] of this.kept) {
      const own = spanOf(kept.of.asked.period, kept.of.asked.zone);
      const spans = [own, ...(kept.of.was ? [kept.of.was.span] : [])];
      if (!spans.some((span) => span.startUs < endUs && startUs < span.endUs)) continue;
      if (own.endUs < this.nowUs()) this.kept.delete(name);
      else kept.old = true;
    }
  }

  /** Stops fetching ahead. */
  rest(): void {
    this.ahead?.abort();
  }

  private async begin(asked: Asked, signal: AbortSignal): Promise<Kept> {
    const name = nameOf(asked);
    const atMs = performance.now();
    const coming = { kept: this.fetch(asked, signal).then((of): Kept => ({ of, atMs, old: false })), signal };
    this.coming.set(name, coming);
    try {
      const found = await coming.kept;
      this.keep(name, found);
      return found;
    } finally {
      if (this.coming.get(name) === coming) this.coming.delete(name);
    }
  }

  private keep(name: string, found: Kept): void {
    this.kept.delete(name);
    this.kept.set(name, found);
    const [oldest] = this.kept.keys();
    if (this.kept.size > MOST && oldest !== undefined) this.kept.delete(oldest);
  }

  private async prepareEach(list: readonly Asked[], signal: AbortSignal): Promise<void> {
    for (const asked of list) {
      if (this.peek(asked) || this.coming.has(nameOf(asked))) continue;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      if (signal.aborted || document.hidden) return;
      const [end] = await Promise.allSettled([this.begin(asked, new AbortController().signal)]);
      if (end.status === 'rejected') return;
    }
  }
}

/** Whether a period is worth fetching before it is asked for. */
export const isLight = ({ period }: Asked): boolean => daysOf(period) <= 366;
