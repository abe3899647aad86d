/** Readings of some Entities from an instant on: fetched once, then appended live. */
import type { ReactiveController, ReactiveControllerHost } from 'lit';
import { fetchReadings } from '../api/client';
import type { LiveRow, Readings } from '../api/types';
import { appendSample, type Samples } from '../domain/minutes';
import { Loader } from './loader';
import type { Store } from './store';

export function samplesOf(readings: Readings): Samples {
  if (readings.reduced) return { ts_us: [...readings.bucket_start_us], value: [...readings.mean] };
  const before = readings.before;
  if (!before) return { ts_us: [...readings.ts_us], value: [...readings.value] };
  return { ts_us: [before.ts_us, ...readings.ts_us], value: [before.value, ...readings.value] };
}

export class ReadingsWindow implements ReactiveController {
  readonly loader: Loader<Map<string, Samples>>;
  private early: LiveRow[] = [];
  private keepFromUs = 0;
  private unsubscribe: (() => void) | null = null;

  constructor(
    host: ReactiveControllerHost,
    private readonly store: () => Store,
  ) {
    this.loader = new Loader(host);
    host.addController(this);
  }

  hostConnected(): void {
    this.unsubscribe = this.store().topics.subscribe('readings', (rows) => {
      this.append(rows);
    });
  }

  hostDisconnected(): void {
    this.unsubscribe?.();
  }

  get samples(): ReadonlyMap<string, Samples> | null {
    return this.loader.data;
  }

  /** `name` changes when the window must be fetched anew: other Entities, another start, a new connection. */
  open(name: string, site: string, keys: readonly string[], startUs: number): void {
    this.loader.load(`${name} ${keys.join(' ')}`, async (signal) => {
      this.early = [];
      const until = this.store().nowUs;
      const answers = await Promise.all(keys.map((key) => fetchReadings(site, key, startUs, until, signal)));
      const samples = new Map(answers.map((readings) => [readings.key, samplesOf(readings)]));
      for (const row of this.early) this.appendTo(samples, row);
      return samples;
    });
  }

  /** Forgets what lies before, except the reading in force, as live readings come. */
  keepFrom(us: number): void {
    this.keepFromUs = us;
  }

  private append(rows: readonly LiveRow[]): void {
    this.early.push(...rows.filter(([key]) => !this.samples || this.samples.has(key)));
    if (this.early.length > 20_000) this.early.splice(0, this.early.length - 20_000);
    if (this.samples) for (const row of rows) this.appendTo(this.samples, row);
  }

  private appendTo(samples: ReadonlyMap<string, Samples>, [key, ts, value]: LiveRow): void {
    const own = samples.get(key);
    if (own) appendSample(own, ts, value, this.keepFromUs);
  }
}
