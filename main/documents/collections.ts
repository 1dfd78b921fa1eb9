/** Collections: make, rename, delete, use in a conversation; and telling the pages of every change. */
import type { Collection } from '../contract/documents.ts';
import { serviceError } from '../contract/errors.ts';
import { requireConversation } from '../chat/conversations.ts';
import {
  deleteCollection,
  getCollection,
  insertCollection,
  listCollections,
  renameCollection,
  setConversationCollection,
} from '../database/collections.ts';
import type { ReadDb, WriteDb } from '../database/handles.ts';
import type { Clock } from '../clock.ts';
import type { EventBus } from '../event-bus.ts';

/** Throws `collection.missing`. */
export function requireCollection(db: ReadDb, id: string): Collection {
  const collection = getCollection(db, id);
  if (collection) return collection;
  throw serviceError('collection.missing', 'This collection does not exist any more.', { collectionId: id });
}

export class CollectionService {
  readonly #db: WriteDb;
  readonly #events: EventBus;
  readonly #clock: Clock;
  readonly #newId: () => string;

  constructor(deps: { readonly db: WriteDb; readonly events: EventBus; readonly clock: Clock; readonly newId: () => string }) {
    this.#db = deps.db;
    this.#events = deps.events;
    this.#clock = deps.clock;
    this.#newId = deps.newId;
  }

  list(): readonly Collection[] {
    return listCollections(this.#db);
  }

  create(name: string): Collection {
    const id = this.#newId();
    insertCollection(this.#db, { id, name: name.trim(), createdAtMs: this.#clock.nowMs() });
    this.announce();
    return requireCollection(this.#db, id);
  }

  rename(id: string, name: string): Collection {
    requireCollection(this.#db, id);
    renameCollection(this.#db, id, name.trim());
    this.announce();
    return requireCollection(this.#db, id);
  }

  /** Nothing of it may be being read. */
  delete(id: string): void {
    requireCollection(this.#db, id);
    deleteCollection(this.#db, id);
    this.announce();
  }

  use(conversationId: string, collectionId: string | null): void {
    requireConversation(this.#db, conversationId);
    if (collectionId !== null) requireCollection(this.#db, collectionId);
    setConversationCollection(this.#db, conversationId, collectionId);
  }

  announce(): void {
    this.#events.emit('documents.changed', { collections: this.list() });
  }
}
