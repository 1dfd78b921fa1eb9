/**
 * The sidebar's list: newest first, searched by the host, read in pages. A deletion can be undone for a while: the row goes at
 * once, the request follows when the time is over or the page goes.
 */
import { toWireError, type WireError } from '../../main/contract/errors.ts';
import type { ConversationSummary } from '../../main/contract/types.ts';
import type { PageClient } from './client.ts';
import type { Cancel, Clock } from './clock.ts';
import type { Notices } from './notices.ts';
import { Store } from './store.ts';

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
export const UNDO_MS = 8000;

export class Conversations extends Store<ConversationList> {
  readonly #client: PageClient;
  readonly #clock: Clock;
  readonly #notices: Notices;
  readonly #deleting = new Map<string, { row: ConversationSummary | null; noticeId: number; cancel: Cancel }>();
  #sequence = 0;
  #cancelSearch: Cancel = () => {};
  #readingMore = false;

  constructor(client: PageClient, clock: Clock, notices: Notices) {
    super({ phase: 'loading', query: '', conversations: [], more: false, error: null });
    this.#client = client;
    this.#clock = clock;
    this.#notices = notices;
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
    if (this.#deleting.has(conversationId)) return;
    const row = this.value.conversations.find((known) => known.id === conversationId) ?? null;
    const noticeId = this.#notices.show(
      {
        tone: 'quiet',
        title: 'Conversation deleted',
        text: row?.title ?? '',
        action: { label: 'Undo', run: () => this.undoDelete(conversationId) },
      },
      UNDO_MS,
    );
    const cancel = this.#clock.after(UNDO_MS, () => void this.#reallyDelete(conversationId));
    this.#deleting.set(conversationId, { row, noticeId, cancel });
    this.patch({ conversations: this.#visible(this.value.conversations) });
  }

  undoDelete(conversationId: string): void {
    const pending = this.#deleting.get(conversationId);
    if (!pending) return;
    pending.cancel();
    this.#deleting.delete(conversationId);
    this.#notices.close(pending.noticeId);
    if (pending.row) this.#insert(pending.row);
  }

  /** Sends the deletions that still wait; call when the page goes away. */
  flushDeletions(): void {
    for (const conversationId of [...this.#deleting.keys()]) {
      this.#deleting.get(conversationId)?.cancel();
      void this.#reallyDelete(conversationId);
    }
  }

  async #reallyDelete(conversationId: string): Promise<void> {
    const pending = this.#deleting.get(conversationId);
    try {
      await this.#client.request('conversations.delete', { conversationId });
    } catch (error) {
      const wire = toWireError(error);
      if (wire.code !== 'conversation.missing') {
        this.#notices.error(wire);
        if (pending?.row) this.#insert(pending.row);
      }
    }
    this.#deleting.delete(conversationId);
  }

  #changed(conversationId: string, conversation: ConversationSummary | null): void {
    const pending = this.#deleting.get(conversationId);
    if (conversation === null) {
      this.patch({ conversations: this.value.conversations.filter((row) => row.id !== conversationId) });
    } else if (pending) {
      pending.row = conversation;
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
    return rows.filter((row) => !this.#deleting.has(row.id));
  }
}
