/**
 * The collections, and the documents of the one that is open. Events of a long indexing run come by the thousand; they are gathered
 * and shown at most once a frame.
 */
import type { Collection, DocumentEntry } from '../../main/contract/documents.ts';
import { toWireError, type WireError } from '../../main/contract/errors.ts';
import type { Announcer } from './announcer.ts';
import type { PageClient } from './client.ts';
import type { Clock } from './clock.ts';
import { plural } from './format.ts';
import type { Notices } from './notices.ts';
import { Store } from './store.ts';
import { Undoable } from './undoable.ts';

export interface ReadingProgress {
  readonly done: number;
  readonly total: number;
}

export interface DocumentsView {
  readonly phase: 'loading' | 'ready' | 'failed';
  readonly error: WireError | null;
  /** By name. */
  readonly collections: readonly Collection[];
  /** By collection that is being filled: how many documents the run in progress has. */
  readonly batches: ReadonlyMap<string, number>;
  /** The collection that is open; null shows all collections. */
  readonly openId: string | null;
  readonly listPhase: 'loading' | 'ready' | 'failed';
  readonly listError: WireError | null;
  /** Of the open collection, by title. */
  readonly documents: readonly DocumentEntry[];
  /** By document that is being read. */
  readonly progress: ReadonlyMap<string, ReadingProgress>;
}

const NOTHING_OPEN = { openId: null, listPhase: 'loading', listError: null, documents: [], progress: new Map() } as const;
const natural = new Intl.Collator('en', { numeric: true, sensitivity: 'base' });

export class Documents extends Store<DocumentsView> {
  readonly #client: PageClient;
  readonly #clock: Clock;
  readonly #notices: Notices;
  readonly #announcer: Announcer;
  readonly #deletions: Undoable;
  /** Of the open collection. */
  readonly #entries = new Map<string, DocumentEntry>();
  readonly #progress = new Map<string, ReadingProgress>();
  #drawScheduled = false;
  #visit = 0;

  constructor(client: PageClient, clock: Clock, notices: Notices, announcer: Announcer) {
    super({ phase: 'loading', error: null, collections: [], batches: new Map(), ...NOTHING_OPEN });
    this.#client = client;
    this.#clock = clock;
    this.#notices = notices;
    this.#announcer = announcer;
    this.#deletions = new Undoable(clock, notices);
    client.on('documents.changed', ({ collections }) => this.#setCollections(collections));
    client.on('documents.document', ({ document }) => this.#onDocument(document));
    client.on('documents.progress', ({ documentId, collectionId, done, total }) => {
      if (collectionId !== this.value.openId) return;
      this.#progress.set(documentId, { done, total });
      this.#scheduleDraw();
    });
    client.onConnection?.((connection) => {
      if (connection !== 'restored') return;
      void this.load();
      if (this.value.openId !== null) void this.#list(this.value.openId);
    });
  }

  collection(id: string | null): Collection | null {
    return this.value.collections.find((known) => known.id === id) ?? null;
  }

  async load(): Promise<void> {
    try {
      this.#setCollections(await this.#client.request('documents.collections', {}));
    } catch (error) {
      if (this.value.phase !== 'ready') this.patch({ phase: 'failed', error: toWireError(error) });
    }
  }

  open(collectionId: string | null): void {
    if (collectionId === this.value.openId && this.value.listPhase !== 'failed') return;
    this.#entries.clear();
    this.#progress.clear();
    this.patch({ ...NOTHING_OPEN, openId: collectionId });
    this.#visit++;
    if (collectionId !== null) void this.#list(collectionId);
  }

  /** Resolves with the new collection, or null when the host refused (a notice says why). */
  async create(name: string): Promise<Collection | null> {
    try {
      const created = await this.#client.request('documents.createCollection', { name: this.freeName(name) });
      this.#setCollections([...this.value.collections.filter(({ id }) => id !== created.id), created]);
      return created;
    } catch (error) {
      this.#notices.error(toWireError(error));
      return null;
    }
  }

  /** `name`, or `name 2`, … where a collection of that name is there. */
  freeName(name: string): string {
    const wanted = name.replace(/\s+/g, ' ').trim() || 'Documents';
    const taken = new Set(this.value.collections.map((known) => known.name.toLowerCase()));
    if (!taken.has(wanted.toLowerCase())) return wanted;
    let number = 2;
    while (taken.has(`${wanted} ${number}`.toLowerCase())) number++;
    return `${wanted} ${number}`;
  }

  async rename(collectionId: string, name: string): Promise<void> {
    const wanted = name.replace(/\s+/g, ' ').trim();
    const before = this.collection(collectionId);
    if (!before || wanted === '' || wanted === before.name) return;
    this.#replaceCollection({ ...before, name: wanted });
    try {
      this.#replaceCollection(await this.#client.request('documents.renameCollection', { collectionId, name: wanted }));
    } catch (error) {
      this.#replaceCollection(before);
      this.#notices.error(toWireError(error));
    }
  }

  delete(collectionId: string): void {
    const before = this.collection(collectionId);
    if (!before) return;
    this.#deletions.delete({
      id: collectionId,
      title: 'Collection deleted',
      name: before.name,
      commit: () => this.#client.request('documents.deleteCollection', { collectionId }),
      restore: () => this.#setCollections([...this.value.collections, before]),
    });
    this.#setCollections(this.value.collections);
  }

  remove(documentId: string): void {
    const before = this.#entries.get(documentId);
    if (!before) return;
    this.#deletions.delete({
      id: documentId,
      title: 'Taken out of the collection',
      name: before.title,
      commit: () => this.#client.request('documents.remove', { documentId }),
      restore: () => this.#onDocument(before),
    });
    this.#entries.delete(documentId);
    this.#draw();
  }

  flushDeletions(): void {
    this.#deletions.flush();
  }

  async retry(documentId: string): Promise<void> {
    await this.#notices.attempt(async () => this.#onDocument(await this.#client.request('documents.retry', { documentId })));
  }

  /** Every document of the open collection that failed. */
  async retryFailed(): Promise<void> {
    for (const { id, status } of this.value.documents) if (status === 'failed') await this.retry(id);
  }

  /** Shows its file in the system's file manager. */
  async reveal(documentId: string): Promise<void> {
    await this.#notices.attempt(() => this.#client.request('documents.reveal', { documentId }));
  }

  async cancel(collectionId: string): Promise<void> {
    await this.#notices.attempt(() => this.#client.request('documents.cancel', { collectionId }));
    if (collectionId === this.value.openId) await this.#list(collectionId);
  }

  /** Entries that the host returned before their events came. */
  added(entries: readonly DocumentEntry[]): void {
    for (const entry of entries) this.#keep(entry);
    this.#draw();
  }

  async #list(collectionId: string): Promise<void> {
    const visit = this.#visit;
    try {
      const documents = await this.#client.request('documents.list', { collectionId });
      if (visit !== this.#visit) return;
      this.#entries.clear();
      for (const entry of documents) this.#keep(entry);
      this.patch({ listPhase: 'ready', listError: null });
      this.#draw();
    } catch (error) {
      if (visit === this.#visit) this.patch({ listPhase: 'failed', listError: toWireError(error) });
    }
  }

  #onDocument(entry: DocumentEntry): void {
    if (!this.#keep(entry)) return;
    if (entry.status !== 'reading') this.#progress.delete(entry.id);
    this.#scheduleDraw();
  }

  #keep(entry: DocumentEntry): boolean {
    if (entry.collectionId !== this.value.openId || this.#deletions.has(entry.id)) return false;
    this.#entries.set(entry.id, entry);
    return true;
  }

  #scheduleDraw(): void {
    if (this.#drawScheduled) return;
    this.#drawScheduled = true;
    this.#clock.frame(() => {
      this.#drawScheduled = false;
      this.#draw();
    });
  }

  #draw(): void {
    const documents = this.#inOrder();
    this.patch({ documents, progress: new Map(this.#progress) });
  }

  /** Sorting 5,000 titles takes longer than a frame has, so it is done only when one came or went. */
  #inOrder(): readonly DocumentEntry[] {
    const before = this.value.documents;
    const same = before.length === this.#entries.size && before.every(({ id }) => this.#entries.has(id));
    if (same) return before.map(({ id }) => this.#entries.get(id)!);
    return [...this.#entries.values()].sort((a, b) => natural.compare(a.title, b.title) || (a.id < b.id ? -1 : 1));
  }

  #setCollections(read: readonly Collection[]): void {
    const collections = read
      .filter(({ id }) => !this.#deletions.has(id))
      .sort((a, b) => natural.compare(a.name, b.name) || a.createdAtMs - b.createdAtMs);
    for (const now of collections) this.#announce(this.collection(now.id), now);
    const before = this.value.batches;
    const running = collections.filter(({ pending }) => pending > 0);
    const batches = new Map(running.map(({ id, pending }) => [id, Math.max(before.get(id) ?? 0, pending)]));
    this.patch({ phase: 'ready', error: null, collections, batches });
    if (this.value.openId !== null && !collections.some(({ id }) => id === this.value.openId)) this.open(null);
  }

  #announce(before: Collection | null, now: Collection): void {
    if (!before || before.pending === 0 || now.pending > 0) return;
    const failed = now.failed > 0 ? ` ${plural(now.failed, 'document')} could not be read.` : '';
    this.#announcer.say(`${now.name}: reading has ended.${failed}`);
  }

  #replaceCollection(collection: Collection): void {
    this.#setCollections(this.value.collections.map((known) => (known.id === collection.id ? collection : known)));
  }
}
