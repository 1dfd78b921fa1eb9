/** Makes a store readable from components: reading `current` subscribes the effect or derived value that reads it. */
import { createSubscriber } from 'svelte/reactivity';
import type { Readable } from './store.ts';

export interface View<T> {
  readonly current: T;
}

/** The view of each store, under the store's name. */
export function viewsOf<S extends Readonly<Record<string, Readable<unknown>>>>(
  stores: S,
): { readonly [Name in keyof S]: View<S[Name]['value']> } {
  const views = Object.entries(stores).map(([name, store]) => [name, view(store)]);
  return Object.fromEntries(views) as { readonly [Name in keyof S]: View<S[Name]['value']> };
}

export function view<T>(store: Readable<T>): View<T> {
  const follow = createSubscriber((changed) => store.subscribe(changed));
  return {
    get current() {
      follow();
      return store.value;
    },
  };
}
