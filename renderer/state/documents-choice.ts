/**
 * Which collection a conversation's questions look into. What the host says of a conversation counts; a choice is shown at once and
 * taken back if the host refuses it. A conversation that has not begun keeps its choice here and takes it along with its first question.
 */
import { toWireError } from '../../main/contract/errors.ts';
import type { PageClient } from './client.ts';
import type { Notices } from './notices.ts';
import { Store } from './store.ts';

const NEW = '';

export class CollectionChoice extends Store<ReadonlyMap<string, string | null>> {
  readonly #client: PageClient;
  readonly #notices: Notices;

  constructor(client: PageClient, notices: Notices) {
    super(new Map());
    this.#client = client;
    this.#notices = notices;
  }

  /** A collection that is gone is no conversation's any more; who knows the collections says which are there. */
  exists: (collectionId: string) => boolean = () => true;

  of(conversationId: string | null): string | null {
    const chosen = this.value.get(conversationId ?? NEW) ?? null;
    return chosen !== null && this.exists(chosen) ? chosen : null;
  }

  /** What was read with a conversation. */
  learn(conversationId: string, collectionId: string | null): void {
    this.#put(conversationId, collectionId);
  }

  /** The new conversation has begun: what was chosen for it is its own now, and the next one starts without. */
  begun(conversationId: string): void {
    const chosen = this.of(null);
    this.set(new Map(this.value).set(conversationId, chosen).set(NEW, null));
  }

  async choose(conversationId: string | null, collectionId: string | null): Promise<void> {
    const before = this.of(conversationId);
    if (before === collectionId) return;
    this.#put(conversationId, collectionId);
    if (conversationId === null) return;
    try {
      await this.#client.request('documents.use', { conversationId, collectionId });
    } catch (error) {
      this.#put(conversationId, before);
      this.#notices.error(toWireError(error));
    }
  }

  #put(conversationId: string | null, collectionId: string | null): void {
    this.set(new Map(this.value).set(conversationId ?? NEW, collectionId));
  }
}
