/** Readings of some Entities from an instant on: fetched once, then appended live. */
import type { ReactiveController, ReactiveControllerHost } from 'lit';
import { fetchHours, fetchReadings } from '../api/client';
import type { LiveRow, Readings } from '../api/types';
import { appendSample, beginWithHours, type Samples } from '../domain/minutes';
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

  /**
   * `name` changes when the window must be fetched anew: other Entities, another start. With `hours`, what lies before the
   * first reading is filled with hourly means.
   */
  open(name: string, site: string, keys: readonly string[], startUs: number, hours = false): void {
    this.loader.load(`${name} ${keys.join(' ')}`, async (signal) => {
      this.early = [];
      const fetched = await Promise.all(keys.map((key) => this.fetch(site, key, startUs, hours, signal)));
      const samples = new Map(keys.map((key, i) => [key, fetched[i] ?? { ts_us: [], value: [] }]));
      for (const row of this.early) this.appendTo(samples, row);
      return samples;
    });
  }

  /** Forgets what lies before, except the reading in force, as live readings come. */
  keepFrom(us: number): void {
    this.keepFromUs = us;
  }

  private async fetch(site: string, key: string, startUs: number, hours: boolean, signal: AbortSignal): Promise<Samples> {
    const until = this.store().nowUs;
    const samples = samplesOf(await fetchReadings(site, key, startUs, until, signal));
    if (!hours || (samples.ts_us[0] ?? Infinity) <= startUs) return samples;
    const [series] = (await fetchHours(site, key, startUs, until, signal)).series;
    return series ? beginWithHours(samples, { ts_us: series.start_us, value: series.mean }, startUs) : samples;
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
