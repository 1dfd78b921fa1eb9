/** Events on their way from the services to the hosts, which hand them to their pages. Listeners are called in order, at once. */
import type { EventName, Events } from './contract/channels.ts';

/** One event with its payload, as a host forwards it. */
export type AnyEvent = { [E in EventName]: { readonly name: E; readonly payload: Events[E] } }[EventName];

export class EventBus {
  readonly #listeners = new Set<(event: AnyEvent) => void>();

  emit<E extends EventName>(name: E, payload: Events[E]): void {
    for (const listener of this.#listeners) listener({ name, payload } as AnyEvent);
  }

  /** Returns a function that ends the subscription. */
  on(listener: (event: AnyEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
