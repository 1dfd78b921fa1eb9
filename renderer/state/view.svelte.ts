/** Makes a store readable from components: reading `current` subscribes the effect or derived value that reads it. */
import { createSubscriber } from 'svelte/reactivity';
import type { Readable } from './store.ts';

export interface View<T> {
  readonly current: T;
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
