import type { ReactiveController, ReactiveControllerHost } from 'lit';
import type { Store } from './store';

type Topic = 'state' | 'values' | 'clock';

/** Renders its view anew when one of the store's topics changes. */
export class StoreController implements ReactiveController {
  private unsubscribe: (() => void)[] = [];

  constructor(
    private readonly host: ReactiveControllerHost,
    private readonly store: () => Store,
    private readonly topics: readonly Topic[],
  ) {
    host.addController(this);
  }

  hostConnected(): void {
    this.unsubscribe = this.topics.map((topic) =>
      this.store().topics.subscribe(topic, () => {
        this.host.requestUpdate();
      }),
    );
  }

  hostDisconnected(): void {
    for (const unsubscribe of this.unsubscribe) unsubscribe();
  }
}
