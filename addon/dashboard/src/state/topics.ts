/** Subscriptions by topic; a topic's listeners get its payload. */
export class Topics<Payloads> {
  private readonly listeners: { [T in keyof Payloads]?: Set<(payload: Payloads[T]) => void> } = {};

  /** Returns the way to unsubscribe. */
  subscribe<T extends keyof Payloads>(topic: T, listener: (payload: Payloads[T]) => void): () => void {
    const listeners = (this.listeners[topic] ??= new Set());
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
    };
  }

  publish<T extends keyof Payloads>(topic: T, payload: Payloads[T]): void {
    this.listeners[topic]?.forEach((listener) => {
      listener(payload);
    });
  }
}
