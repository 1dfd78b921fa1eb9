/** The sidebar's list: newest first, searched by the host, read in pages. A deletion can be undone for a while (undoable.ts). */
import { toWireError, type WireError } from '../../main/contract/errors.ts';
import type { ConversationSummary } from '../../main/contract/types.ts';
import type { PageClient } from './client.ts';
import type { Cancel, Clock } from './clock.ts';
import type { Notices } from './notices.ts';
import { Store } from './store.ts';
import { Undoable } from './undoable.ts';

export interface ConversationList {
  readonly phase: 'loading' | 'ready' | 'failed';
  readonly query: string;
  readonly conversations: readonly ConversationSummary[];
  /** Whether older ones exist beyond those read. */
  readonly more: boolean;
  readonly error: WireError | null;
}

const PAGE = 80;
const SEARCH_PAUSE_MS = 150;

export class Conversations extends Store<ConversationList> {
  readonly #client: PageClient;
  readonly #clock: Clock;
  readonly #notices: Notices;
  readonly #deletions: Undoable;
  #sequence = 0;
  #cancelSearch: Cancel = () => {};
  #readingMore = false;

  constructor(client: PageClient, clock: Clock, notices: Notices) {
    super({ phase: 'loading', query: '', conversations: [], more: false, error: null });
    this.#client = client;
    this.#clock = clock;
    this.#notices = notices;
    this.#deletions = new Undoable(clock, notices);
    client.on('conversations.changed', ({ conversationId, conversation }) => this.#changed(conversationId, conversation));
  }

  async load(): Promise<void> {
    const sequence = ++this.#sequence;
    const { query } = this.value;
    try {
      const read = await this.#client.request('conversations.list', { query, limit: PAGE, beforeMs: null });
      if (sequence !== this.#sequence) return;
      this.patch({ phase: 'ready', conversations: this.#visible(read), more: read.length === PAGE, error: null });
    } catch (error) {
      if (sequence === this.#sequence) this.patch({ phase: 'failed', error: toWireError(error) });
    }
  }

  async loadMore(): Promise<void> {
    const { conversations, more, query } = this.value;
    if (!more || this.#readingMore) return;
    const sequence = this.#sequence;
    this.#readingMore = true;
    try {
      const beforeMs = conversations.at(-1)?.updatedAtMs ?? null;
      const read = await this.#client.request('conversations.list', { query, limit: PAGE, beforeMs });
      if (sequence !== this.#sequence) return;
      const known = new Set(this.value.conversations.map((row) => row.id));
      const older = this.#visible(read).filter((row) => !known.has(row.id));
      this.patch({ conversations: [...this.value.conversations, ...older], more: read.length === PAGE });
    } catch (error) {
      this.#notices.error(toWireError(error));
    } finally {
      this.#readingMore = false;
    }
  }

  search(query: string): void {
    this.patch({ query });
    this.#cancelSearch();
    this.#cancelSearch = this.#clock.after(SEARCH_PAUSE_MS, () => void this.load());
  }

  async rename(conversationId: string, title: string): Promise<void> {
    const wanted = title.replace(/\s+/g, ' ').trim();
    const before = this.value.conversations.find((row) => row.id === conversationId);
    if (wanted === '' || wanted === before?.title) return;
    if (before) this.#replace({ ...before, title: wanted });
    try {
      this.#replace(await this.#client.request('conversations.rename', { conversationId, title: wanted }));
    } catch (error) {
      if (before) this.#replace(before);
      this.#notices.error(toWireError(error));
    }
  }

  delete(conversationId: string): void {
    const row = this.value.conversations.find((known) => known.id === conversationId);
    this.#deletions.delete({
      id: conversationId,
      title: 'Conversation deleted',
      name: row?.title ?? '',
      commit: () => this.#reallyDelete(conversationId),
      restore: () => row && this.#insert(row),
    });
    this.patch({ conversations: this.#visible(this.value.conversations) });
  }

  /** Sends the deletions that still wait; call when the page goes away. */
  flushDeletions(): void {
    this.#deletions.flush();
  }

  /** One that is gone already is as good as deleted. */
  async #reallyDelete(conversationId: string): Promise<void> {
    try {
      await this.#client.request('conversations.delete', { conversationId });
    } catch (error) {
      if (toWireError(error).code !== 'conversation.missing') throw error;
    }
  }

  #changed(conversationId: string, conversation: ConversationSummary | null): void {
    if (conversation === null) {
      this.patch({ conversations: this.value.conversations.filter((row) => row.id !== conversationId) });
    } else if (this.#deletions.has(conversationId)) {
      this.#deletions.changed(conversationId, () => this.#insert(conversation));
    } else if (this.value.query !== '') {
      this.search(this.value.query);
    } else {
      this.#insert(conversation);
    }
  }

  #insert(row: ConversationSummary): void {
    const others = this.value.conversations.filter((known) => known.id !== row.id);
    const at = others.findIndex((known) => known.updatedAtMs < row.updatedAtMs);
    this.patch({ conversations: at < 0 ? [...others, row] : [...others.slice(0, at), row, ...others.slice(at)] });
  }

  #replace(row: ConversationSummary): void {
    this.patch({ conversations: this.value.conversations.map((known) => (known.id === row.id ? row : known)) });
  }

  #visible(rows: readonly ConversationSummary[]): readonly ConversationSummary[] {
    return rows.filter((row) => !this.#deletions.has(row.id));
  }
}
