/** Loads something for a view: old data stays until the new is there, a loading shape is due only after 300 ms. */
import type { ReactiveController, ReactiveControllerHost } from 'lit';
import { isApiFailure, type ApiFailure } from '../api/client';

const SHAPES_AFTER_MS = 300;

export class Loader<T> implements ReactiveController {
  data: T | null = null;
  failure: ApiFailure | null = null;
  /** Loading for so long that shapes are due. */
  slow = false;

  private asked: string | null = null;
  private abort: AbortController | null = null;

  constructor(private readonly host: ReactiveControllerHost) {
    host.addController(this);
  }

  hostDisconnected(): void {
    this.abort?.abort();
    this.asked = null;
  }

  /** Loads unless exactly this was asked for last; what is at hand is there at once. `name` is what the data depends on. */
  load(name: string, fetch: (signal: AbortSignal) => T | Promise<T>): void {
    if (name === this.asked) return;
    this.asked = name;
    this.abort?.abort();
    const abort = (this.abort = new AbortController());
    const found = fetch(abort.signal);
    if (found instanceof Promise) void this.wait(found, abort);
    else this.take(found);
  }

  /** Lets the next load() fetch even if it asks for the same. */
  expire(): void {
    this.asked = null;
  }

  private take(data: T): void {
    this.data = data;
    this.failure = null;
    this.slow = false;
  }

  private async wait(coming: Promise<T>, abort: AbortController): Promise<void> {
    const timer = setTimeout(() => {
      this.slow = this.abort === abort;
      this.host.requestUpdate();
    }, SHAPES_AFTER_MS);
    try {
      const data = await coming;
      if (!abort.signal.aborted) this.take(data);
    } catch (error) {
      if (abort.signal.aborted) return;
      if (!isApiFailure(error)) throw error;
      this.failure = error;
    } finally {
      clearTimeout(timer);
      if (this.abort === abort) {
        this.slow = false;
        this.host.requestUpdate();
      }
    }
  }
}
