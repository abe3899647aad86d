/**
 * Paces what is shown: the first change of a value shows at once, further ones at most twice a second per value.
 * Late values are shown together in rounds, so that many busy Entities cost few repaints.
 */
import type { Latest } from '../domain/power';

const INTERVAL_MS = 500;
const ROUND_MS = 100;

export interface PacedClock {
  now: () => number;
  after: (ms: number, run: () => void) => void;
}

export class PacedValues {
  readonly shown = new Map<string, Latest>();
  private readonly shownAt = new Map<string, number>();
  private readonly waiting = new Map<string, Latest>();
  private timed = false;

  constructor(
    private readonly clock: PacedClock,
    private readonly onShown: () => void,
  ) {}

  /** Takes a new value of an Entity; an older one than what is known is left out. */
  set(key: string, latest: Latest): void {
    const known = this.waiting.get(key) ?? this.shown.get(key);
    if (known && latest.ts_us < known.ts_us) return;
    const now = this.clock.now();
    const last = this.shownAt.get(key);
    if (last !== undefined && now - last < INTERVAL_MS) {
      this.waiting.set(key, latest);
      this.schedule();
      return;
    }
    this.show(key, latest, now);
    this.onShown();
  }

  /** Shows a value without counting it as a change, for what was known before the page opened. */
  seed(key: string, latest: Latest): void {
    const known = this.shown.get(key);
    if (!known || latest.ts_us >= known.ts_us) this.shown.set(key, latest);
  }

  private show(key: string, latest: Latest, now: number): void {
    this.shown.set(key, latest);
    this.shownAt.set(key, now);
    this.waiting.delete(key);
  }

  private schedule(): void {
    if (this.timed) return;
    this.timed = true;
    this.clock.after(ROUND_MS, () => {
      this.timed = false;
      this.round();
    });
  }

  private round(): void {
    const now = this.clock.now();
    let any = false;
    for (const [key, latest] of this.waiting) {
      if (now - (this.shownAt.get(key) ?? 0) < INTERVAL_MS) continue;
      this.show(key, latest, now);
      any = true;
    }
    if (this.waiting.size > 0) this.schedule();
    if (any) this.onShown();
  }
}
