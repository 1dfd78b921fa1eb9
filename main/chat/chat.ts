/**
 * Questions and answers. A question and its empty answer are committed before anything else happens; answers are generated one at a
 * time, in the order asked, as soon as a model is ready. Stopping commits the text at once; the engine ends when it can.
 */
import type { RequestOf, ResponseOf } from '../contract/channels.ts';
import type { EngineClient } from '../contract/engine.ts';
import type { AnswerExperts } from '../contract/experts.ts';
import { serviceError, type WireError } from '../contract/errors.ts';
import type { Message } from '../contract/types.ts';
import { insertConversation, setLeaf, touchConversation } from '../database/conversations.ts';
import type { WriteDb } from '../database/handles.ts';
import { getMessage, insertMessage, listUnfinished, markInterrupted } from '../database/messages.ts';
import type { Clock } from '../clock.ts';
import { requireCollection } from '../documents/collections.ts';
import type { Retriever } from '../documents/retriever.ts';
import type { EventBus } from '../event-bus.ts';
import type { SettingsService } from '../settings/settings.ts';
import { AnswerRun } from './answer-run.ts';
import { AnswerWriter } from './answer-writer.ts';
import { writerOf, type Answerer, type Run } from './chat-model.ts';
import { requireConversation, requireMessage, type ConversationService } from './conversations.ts';
import { titleFrom } from './title.ts';

export interface ChatDependencies {
  readonly db: WriteDb;
  readonly events: EventBus;
  readonly clock: Clock;
  readonly newId: () => string;
  /** Unsigned 32 bits, for answers without a fixed seed. */
  readonly newSeed: () => number;
  readonly engine: EngineClient;
  readonly settings: SettingsService;
  readonly conversations: ConversationService;
  readonly retriever: Retriever;
  /** The experts at work on an answer. */
  readonly onExperts: (activity: AnswerExperts) => void;
  /** The model that can answer now, or null: then questions wait. */
  readonly ready: () => Answerer | null;
  /** Why no model will be ready: then questions fail at once instead of waiting. */
  readonly problem: () => WireError | null;
}

const NOTHING_YET = { stats: null, error: null, sources: [], evidence: null } as const;

export class ChatService {
  readonly #deps: ChatDependencies;
  readonly #queue: string[] = [];
  #running: Run | null = null;
  /** Settles when the engine is done with the answer that runs, also one that was stopped. */
  #engineDone: Promise<void> | null = null;
  #isClosed = false;

  constructor(dependencies: ChatDependencies) {
    this.#deps = dependencies;
    markInterrupted(dependencies.db); // what a crash left
  }

  send({ conversationId, parentId, text, collectionId }: RequestOf<'chat.send'>): ResponseOf<'chat.send'> {
    const { db } = this.#deps;
    const nowMs = this.#deps.clock.nowMs();
    const { userMessage, answer } = db.transaction(() => {
      this.#checkParent(conversationId, parentId);
      const home = conversationId ?? this.#insertConversation(text, collectionId, nowMs);
      const question = this.#insert({ conversationId: home, parentId, role: 'user', content: text, status: 'complete' }, nowMs);
      return { userMessage: question, answer: this.#insertAnswer(question, nowMs) };
    });
    return { conversation: this.#enqueue(answer), userMessage, answer };
  }

  regenerate({ answerId }: RequestOf<'chat.regenerate'>): ResponseOf<'chat.regenerate'> {
    const { db } = this.#deps;
    const old = requireMessage(db, answerId);
    const question = old.role === 'assistant' && old.parentId !== null ? getMessage(db, old.parentId) : null;
    if (!question) throw invalid('chat.regenerate', 'answerId', 'is not the answer to a question');
    const answer = db.transaction(() => this.#insertAnswer(question, this.#deps.clock.nowMs()));
    this.#enqueue(answer);
    return { answer };
  }

  /** The text is committed when this returns. An answer that has ended already is left as it is. */
  stop(answerId: string): void {
    if (this.#running?.answerId === answerId) return this.#running.end('stopped', null);
    const place = this.#queue.indexOf(answerId);
    if (place < 0) return void requireMessage(this.#deps.db, answerId);
    this.#queue.splice(place, 1);
    this.#endQueued(answerId, 'stopped', null);
  }

  /** Before a conversation is deleted. */
  stopAllOf(conversationId: string): void {
    for (const answerId of listUnfinished(this.#deps.db, conversationId)) this.stop(answerId);
  }

  /** Ends what is being written (failed where `error` is why) and waits until the engine is free: before a model is loaded. */
  async freeEngine(error: WireError | null): Promise<void> {
    this.#running?.end(error ? 'failed' : 'stopped', error);
    await this.#engineDone;
  }

  /** Starts the next answer when a model is ready and the engine is free; fails what waits when no model can be had. */
  pump(): void {
    if (this.#queue.length === 0 || this.#isClosed) return;
    const problem = this.#deps.problem();
    if (problem) return this.#queue.splice(0).forEach((answerId) => this.#endQueued(answerId, 'failed', problem));
    if (this.#engineDone) return;
    const ready = this.#deps.ready();
    if (!ready) return;
    const answerId = this.#queue.shift()!;
    const conversationId = getMessage(this.#deps.db, answerId)?.conversationId;
    if (conversationId === undefined) return this.pump(); // deleted while it waited
    const answer = { id: answerId, conversationId };
    const run = 'begin' in ready ? ready.begin(this.#deps, answer) : new AnswerRun(this.#deps, answer, ready);
    this.#running = run;
    this.#engineDone = run.done.then(() => {
      this.#running = null;
      this.#engineDone = null;
      this.pump();
    });
  }

  /** Commits what there is; unfinished answers are `interrupted`. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const answerId of this.#queue.splice(0)) this.#endQueued(answerId, 'interrupted', null);
    this.#running?.end('interrupted', null);
    await this.#engineDone;
  }

  #enqueue(answer: Message) {
    const conversation = this.#deps.conversations.announce(answer.conversationId);
    this.#queue.push(answer.id);
    queueMicrotask(() => this.pump()); // the caller hears of the answer before its first event
    return conversation;
  }

  #endQueued(answerId: string, status: 'stopped' | 'failed' | 'interrupted', error: WireError | null): void {
    const message = getMessage(this.#deps.db, answerId);
    if (message) new AnswerWriter(this.#deps, message, () => undefined).finish({ status, stats: null, error });
  }

  #checkParent(conversationId: string | null, parentId: string | null): void {
    const { db } = this.#deps;
    if (conversationId !== null) requireConversation(db, conversationId);
    if (parentId === null) return;
    if (conversationId === null) throw invalid('chat.send', 'parentId', 'must be null in a new conversation');
    const parent = requireMessage(db, parentId, conversationId);
    if (parent.role !== 'assistant') throw invalid('chat.send', 'parentId', 'must be an answer: a question follows an answer');
  }

  #insertConversation(text: string, collectionId: string | null, nowMs: number): string {
    if (collectionId !== null) requireCollection(this.#deps.db, collectionId);
    const id = this.#deps.newId();
    insertConversation(this.#deps.db, { id, title: titleFrom(text), createdAtMs: nowMs, updatedAtMs: nowMs, collectionId });
    return id;
  }

  #insertAnswer(question: Message, nowMs: number): Message {
    const { conversationId, id: parentId } = question;
    const answer = this.#insert({ conversationId, parentId, role: 'assistant', content: '', status: 'queued' }, nowMs);
    setLeaf(this.#deps.db, conversationId, answer.id);
    touchConversation(this.#deps.db, conversationId, nowMs);
    return answer;
  }

  #insert(given: Pick<Message, 'conversationId' | 'parentId' | 'role' | 'content' | 'status'>, nowMs: number): Message {
    const writer = writerOf(given.role === 'assistant' ? this.#deps.ready() : null);
    const message: Message = { ...given, id: this.#deps.newId(), createdAtMs: nowMs, ...writer, ...NOTHING_YET };
    insertMessage(this.#deps.db, message);
    return message;
  }
}

function invalid(channel: string, field: string, problem: string) {
  return serviceError('request.invalid', `${channel}, field ${field}: ${problem}.`, { channel, field });
}
