/** Conversations: list, search, read, rename, delete, and which branch is shown. */
import type { RequestOf } from '../contract/channels.ts';
import { serviceError } from '../contract/errors.ts';
import type { Conversation, ConversationSummary, Message } from '../contract/types.ts';
import {
  deleteConversation,
  getConversation,
  listConversations,
  renameConversation,
  setLeaf,
  type ConversationRecord,
} from '../database/conversations.ts';
import type { ReadDb, WriteDb } from '../database/handles.ts';
import { getMessage, listMessages, newestLeafBelow } from '../database/messages.ts';
import { searchConversations } from '../database/search.ts';
import type { EventBus } from '../event-bus.ts';

/** Throws `conversation.missing`. */
export function requireConversation(db: ReadDb, id: string): ConversationRecord {
  const conversation = getConversation(db, id);
  if (conversation) return conversation;
  throw serviceError('conversation.missing', 'This conversation does not exist any more.', { conversationId: id });
}

/** Throws `message.missing`, also for a message of another conversation than `conversationId` (when given). */
export function requireMessage(db: ReadDb, id: string, conversationId?: string): Message {
  const message = getMessage(db, id);
  if (message && (conversationId === undefined || message.conversationId === conversationId)) return message;
  throw serviceError('message.missing', 'This message does not exist any more.', { messageId: id });
}

export function summaryOf({ id, title, createdAtMs, updatedAtMs }: ConversationRecord): ConversationSummary {
  return { id, title, createdAtMs, updatedAtMs };
}

export class ConversationService {
  readonly #db: WriteDb;
  readonly #events: EventBus;

  constructor(db: WriteDb, events: EventBus) {
    this.#db = db;
    this.#events = events;
  }

  list({ query, limit, beforeMs }: RequestOf<'conversations.list'>): readonly ConversationSummary[] {
    return query.trim() === ''
      ? listConversations(this.#db, limit, beforeMs)
      : searchConversations(this.#db, query, limit, beforeMs);
  }

  get(conversationId: string): Conversation {
    const conversation = requireConversation(this.#db, conversationId);
    return {
      ...summaryOf(conversation),
      leafId: conversation.leafId,
      collectionId: conversation.collectionId,
      messages: listMessages(this.#db, conversationId),
    };
  }

  rename(conversationId: string, title: string): ConversationSummary {
    requireConversation(this.#db, conversationId);
    renameConversation(this.#db, conversationId, title.trim());
    return this.announce(conversationId);
  }

  /** Whatever is being written in it must have been stopped before. */
  delete(conversationId: string): void {
    requireConversation(this.#db, conversationId);
    deleteConversation(this.#db, conversationId);
    this.#events.emit('conversations.changed', { conversationId, conversation: null });
  }

  /** The branch through this message, on to its newest end. */
  show(conversationId: string, messageId: string): { leafId: string } {
    requireConversation(this.#db, conversationId);
    requireMessage(this.#db, messageId, conversationId);
    const leafId = newestLeafBelow(this.#db, messageId);
    setLeaf(this.#db, conversationId, leafId);
    return { leafId };
  }

  announce(conversationId: string): ConversationSummary {
    const conversation = summaryOf(requireConversation(this.#db, conversationId));
    this.#events.emit('conversations.changed', { conversationId, conversation });
    return conversation;
  }
}
