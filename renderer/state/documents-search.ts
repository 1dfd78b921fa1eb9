/** Searching the open collection: the passages that a question would find. */
import type { Passage } from '../../main/contract/documents.ts';
import { toWireError, type WireError } from '../../main/contract/errors.ts';
import type { Announcer } from './announcer.ts';
import type { PageClient } from './client.ts';
import type { Cancel, Clock } from './clock.ts';
import { plural } from './format.ts';
import { Store } from './store.ts';

export interface SearchView {
  readonly query: string;
  /** What `passages` were found for; differs from `query` while the search is on its way. */
  readonly searched: string;
  readonly phase: 'idle' | 'searching' | 'ready' | 'failed';
  readonly passages: readonly Passage[];
  readonly error: WireError | null;
}

const IDLE: SearchView = { query: '', searched: '', phase: 'idle', passages: [], error: null };
const PAUSE_MS = 180;
const MOST_PASSAGES = 30;

export class DocumentSearch extends Store<SearchView> {
  readonly #client: PageClient;
  readonly #clock: Clock;
  readonly #announcer: Announcer;
  #cancel: Cancel = () => {};
  #sequence = 0;

  constructor(client: PageClient, clock: Clock, announcer: Announcer) {
    super(IDLE);
    this.#client = client;
    this.#clock = clock;
    this.#announcer = announcer;
  }

  clear(): void {
    this.#cancel();
    this.#sequence++;
    this.set(IDLE);
  }

  search(collectionId: string, query: string): void {
    if (query.trim() === '') return this.clear();
    this.patch({ query, phase: 'searching' });
    this.#cancel();
    this.#cancel = this.#clock.after(PAUSE_MS, () => void this.#run(collectionId, query.trim()));
  }

  async #run(collectionId: string, query: string): Promise<void> {
    const sequence = ++this.#sequence;
    try {
      const passages = await this.#client.request('documents.search', { collectionId, query, limit: MOST_PASSAGES });
      if (sequence !== this.#sequence) return;
      this.patch({ phase: 'ready', searched: query, passages, error: null });
      this.#announcer.say(passages.length === 0 ? 'Nothing found.' : `${plural(passages.length, 'passage')} found.`);
    } catch (error) {
      if (sequence === this.#sequence) this.patch({ phase: 'failed', searched: query, error: toWireError(error) });
    }
  }
}
