/**
 * A client that acts out a scenario in this page, with the rules of the real services: commit first, one answer at a time,
 * versions as siblings, everything announced by events. Development and tests only; it is in no product bundle.
 */
import type { Channel, EventName, Events, RequestOf, ResponseOf } from '../../main/contract/channels.ts';
import { expertsUsedBy } from '../../main/contract/experts-used.ts';
import { fromWireError, serviceError, type WireError } from '../../main/contract/errors.ts';
import type {
  Conversation,
  ConversationSummary,
  EngineStatus,
  Message,
  ModelEntry,
  Settings,
} from '../../main/contract/types.ts';
import type { PageClient } from './client.ts';
import type { Clock } from './clock.ts';
import { FakeDocuments } from './fake-documents.ts';
import { groundedAnswer, type GroundedAnswer } from './fake-documents-data.ts';
import { CUT_OFF, LOST, MARKDOWN_ANSWER } from './fake-conversations.ts';
import { ADAPTER } from './fake-models.ts';
import { scenario, type Scenario, type ScenarioName } from './fake-scenarios.ts';
import { FakeLibrary } from './fake-library.ts';
import { FakeExperts } from './fake-experts.ts';
import { FakeRemote } from './fake-remote.ts';
import { leafBelow } from './versions.ts';

type Listener = (payload: never) => void;

export class FakeClient implements PageClient {
  readonly #clock: Clock;
  readonly #script: Scenario;
  readonly #listeners = new Map<EventName, Set<Listener>>();
  readonly #conversations = new Map<string, Conversation>();
  readonly #queue: string[] = [];
  readonly #remote: FakeRemote;
  readonly #documents: FakeDocuments;
  readonly #library: FakeLibrary;
  readonly #experts = new FakeExperts();
  /** What an answer over documents will carry. */
  readonly #grounded = new Map<string, GroundedAnswer>();
  #settings: Settings;
  #engine: EngineStatus;
  #hasBeenReset = false;
  #models: readonly ModelEntry[];
  #writing: string | null = null;
  #nextId = 1;
  /** Every request in order, for tests. */
  readonly log: { channel: Channel; request: unknown }[] = [];
  /** How an answer is cut into what streams. */
  pieces = (answer: string): readonly string[] => answer.match(/\s*\S+/g) ?? [];
  /** The text of the next answers. */
  answer = (question: string): string =>
    question.length > 60 ? MARKDOWN_ANSWER : `You asked: “${question}”\n\n${MARKDOWN_ANSWER}`;

  constructor(clock: Clock, name: ScenarioName) {
    this.#clock = clock;
    this.#script = scenario(name, clock.nowMs());
    this.#remote = new FakeRemote(this.#script.servers, (state) => this.#emit('remote.changed', state));
    this.#documents = new FakeDocuments(clock, name, (event, payload) => this.#emit(event, payload as never));
    this.#library = new FakeLibrary(
      clock,
      name,
      (event, payload) => this.#emit(event, payload as never),
      () => this.#models,
      (model) => this.#import(`/home/ada/.config/conclave/models/${model}.gguf`, true),
    );
    this.#settings = this.#script.settings;
    this.#engine = this.#script.engine;
    this.#models = this.#script.models;
    for (const conversation of this.#script.conversations) this.#conversations.set(conversation.id, conversation);
    if (this.#engine.state === 'loading') this.#load(this.#engine.modelId);
  }

  async request<C extends Channel>(channel: C, request: RequestOf<C>): Promise<ResponseOf<C>> {
    this.log.push({ channel, request });
    await new Promise<void>((resolve) => this.#clock.after(1, resolve));
    const handlers: { [K in Channel]: (request: RequestOf<K>) => ResponseOf<K> } = {
      ...this.#documents.handlers,
      'app.state': () => ({
        host: this.#script.host,
        settings: this.#settings,
        engine: this.#engine,
        models: this.#models,
        remote: { servers: this.#remote.servers },
      }),
      'conversations.list': ({ query, limit, beforeMs }) => this.#list(query, limit, beforeMs),
      'conversations.get': ({ conversationId }) => this.#withCollection(conversationId),
      'conversations.rename': ({ conversationId, title }) => this.#save({ ...this.#get(conversationId), title }),
      'conversations.delete': ({ conversationId }) => {
        this.#conversations.delete(conversationId);
        this.#emit('conversations.changed', { conversationId, conversation: null });
        return null;
      },
      'conversations.show': ({ conversationId, messageId }) => {
        const conversation = this.#get(conversationId);
        const leafId = leafBelow(conversation.messages, messageId);
        this.#conversations.set(conversationId, { ...conversation, leafId });
        return { leafId };
      },
      'chat.send': ({ conversationId, parentId, text, collectionId }) => this.#send(conversationId, parentId, text, collectionId),
      'chat.regenerate': ({ answerId }) => {
        const conversation = this.#of(answerId);
        const old = find(conversation, answerId);
        return { answer: this.#begin(conversation, old.parentId) };
      },
      'chat.stop': ({ answerId }) => {
        this.#finish(answerId, 'stopped', null);
        return null;
      },
      'experts.current': () => this.#experts.current,
      'library.list': () => this.#models,
      'library.import': ({ path }) => this.#import(path),
      'library.pick': () => this.#import('/home/ada/Models/Mixtral-8x7B-Instruct-v0.1-Q4_K_M.gguf'),
      'library.remove': ({ modelId }) => {
        this.#models = this.#models.filter((model) => model.id !== modelId);
        this.#emit('library.changed', { models: this.#models });
        return null;
      },
      'library.select': ({ modelId }) => {
        this.#settings = { ...this.#settings, selectedModelId: modelId };
        this.#emit('settings.changed', this.#settings);
        this.#load(modelId);
        return null;
      },
      ...this.#remote.handlers,
      'settings.update': (change) => {
        this.#settings = { ...this.#settings, ...change };
        this.#emit('settings.changed', this.#settings);
        if (change.expertsUsed !== undefined) this.#useExperts(change.expertsUsed);
        return this.#settings;
      },
      ...this.#library.handlers,
    };
    return handlers[channel](request);
  }

  /** What loading the model again comes to. */
  #useExperts(wanted: number | null): void {
    const engine = this.#engine;
    const facts = engine.state === 'ready' && this.#models.find(({ id }) => id === engine.modelId)?.facts;
    if (engine.state === 'ready' && facts) this.#setEngine({ ...engine, notice: expertsUsedBy(facts, wanted).notice });
  }

  on<E extends EventName>(event: E, listener: (payload: Events[E]) => void): () => void {
    const set = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, set.add(listener as Listener));
    return () => set.delete(listener as Listener);
  }

  async pathOfDroppedFile(file: File, onProgress?: (done: number, total: number) => void): Promise<string> {
    if (!this.#script.host.dropGivesPath)
      for (let step = 1; step <= 10; step++) {
        await new Promise<void>((resolve) => this.#clock.after(80, resolve));
        onProgress?.((file.size * step) / 10, file.size);
      }
    return `/dropped/${file.name}`;
  }

  #emit<E extends EventName>(event: E, payload: Events[E]): void {
    for (const listener of this.#listeners.get(event) ?? []) (listener as (payload: Events[E]) => void)(payload);
  }

  #list(query: string, limit: number, beforeMs: number | null): ConversationSummary[] {
    const words = query.toLowerCase();
    return [...this.#conversations.values()]
      .filter(({ title, messages }) =>
        [title, ...messages.map(({ content }) => content)].some((text) => text.toLowerCase().includes(words)),
      )
      .filter(({ updatedAtMs }) => beforeMs === null || updatedAtMs < beforeMs)
      .sort((a, b) => b.updatedAtMs - a.updatedAtMs)
      .slice(0, limit)
      .map(summary);
  }

  #get(conversationId: string): Conversation {
    const conversation = this.#conversations.get(conversationId);
    if (!conversation)
      throw serviceError('conversation.missing', 'This conversation was deleted. Choose another in the list.', {
        conversationId,
      });
    return conversation;
  }

  #withCollection(conversationId: string): Conversation {
    const conversation = this.#get(conversationId);
    const used = this.#documents.used.get(conversationId);
    return used === undefined ? conversation : { ...conversation, collectionId: used };
  }

  #of(messageId: string): Conversation {
    const conversation = [...this.#conversations.values()].find(({ messages }) => messages.some(({ id }) => id === messageId));
    if (!conversation) throw serviceError('message.missing', 'This message was deleted.', { messageId });
    return conversation;
  }

  #save(conversation: Conversation): ConversationSummary {
    this.#conversations.set(conversation.id, conversation);
    this.#emit('conversations.changed', { conversationId: conversation.id, conversation: summary(conversation) });
    return summary(conversation);
  }

  #send(
    conversationId: string | null,
    parentId: string | null,
    text: string,
    collectionId: string | null,
  ): ResponseOf<'chat.send'> {
    const nowMs = this.#clock.nowMs();
    const id = conversationId ?? `new-${this.#nextId++}`;
    const title = text.length > 60 ? `${text.slice(0, 57)}…` : text;
    const conversation: Conversation =
      conversationId === null
        ? { id, title, createdAtMs: nowMs, updatedAtMs: nowMs, messages: [], leafId: null, collectionId }
        : this.#get(conversationId);
    const userMessage = this.#message(id, parentId, 'user', text);
    const withQuestion = { ...conversation, updatedAtMs: nowMs, messages: [...conversation.messages, userMessage] };
    const answer = this.#begin(withQuestion, userMessage.id);
    return { conversation: summary(this.#get(id)), userMessage, answer };
  }

  #message(conversationId: string, parentId: string | null, role: 'user' | 'assistant', content: string): Message {
    const chosen = ({ id }: { readonly id: string }) => id === this.#settings.selectedModelId;
    const server = this.#remote.servers.find(({ models }) => models.some(chosen));
    const model = server?.models.find(chosen) ?? this.#models.find(chosen);
    return {
      id: `m-${this.#nextId++}`,
      conversationId,
      parentId,
      role,
      content,
      status: role === 'user' ? 'complete' : 'queued',
      createdAtMs: this.#clock.nowMs(),
      modelName: role === 'user' ? null : (model?.name ?? null),
      remoteHost: role === 'user' ? null : (server?.host ?? null),
      stats: null,
      error: null,
      sources: [],
      evidence: null,
    };
  }

  #begin(conversation: Conversation, parentId: string | null): Message {
    const answer = this.#message(conversation.id, parentId, 'assistant', '');
    this.#save({ ...conversation, messages: [...conversation.messages, answer], leafId: answer.id });
    this.#queue.push(answer.id);
    this.#clock.after(1, () => this.#next());
    return answer;
  }

  #next(): void {
    if (this.#writing !== null || this.#engine.state !== 'ready') return;
    const answerId = this.#queue.shift();
    if (answerId === undefined) return;
    this.#writing = answerId;
    const { prefillMs } = this.#script;
    this.#change(answerId, { status: 'streaming' });
    this.#ground(answerId);
    for (let step = 0; step <= 4; step++)
      this.#clock.after((prefillMs * step) / 4, () => {
        if (this.#writing === answerId) this.#emit('answer.prefill', { answerId, done: 103 * step, total: 412 });
      });
    this.#clock.after(prefillMs, () => this.#write(answerId, 0, this.#clock.nowMs()));
  }

  #ground(answerId: string): void {
    const conversation = this.#withCollection(this.#of(answerId).id);
    if (conversation.collectionId === null) return;
    const question = find(conversation, find(conversation, answerId).parentId ?? '');
    const grounded = groundedAnswer(question.content);
    this.#grounded.set(answerId, grounded);
    this.#change(answerId, { sources: grounded.sources });
    this.#emit('answer.sources', { answerId, conversationId: conversation.id, sources: grounded.sources });
  }

  #write(answerId: string, token: number, startedMs: number): void {
    if (this.#writing !== answerId) return;
    const conversation = this.#of(answerId);
    const message = find(conversation, answerId);
    const question = find(conversation, message.parentId ?? '').content;
    const tokens = this.pieces(this.#grounded.get(answerId)?.content ?? this.answer(question));
    if (token === this.#script.loseDeviceAfterTokens) return this.#loseDevice(answerId);
    if (token === this.#script.resetDeviceAfterTokens && !this.#hasBeenReset)
      return this.#resetDevice(() => this.#write(answerId, token, startedMs));
    if (token >= tokens.length) return this.#finish(answerId, 'complete', null);
    if (token >= this.#settings.maxAnswerTokens) return this.#finish(answerId, 'complete', CUT_OFF);
    const text = tokens[token];
    const elapsedMs = this.#clock.nowMs() - startedMs;
    this.#change(answerId, { content: message.content + text });
    this.#emit('answer.text', {
      answerId,
      conversationId: conversation.id,
      offset: message.content.length,
      text,
      tokens: token + 1,
      elapsedMs,
    });
    if (message.remoteHost === null) this.#emit('experts.activity', this.#experts.token(answerId, message.modelName ?? ''));
    this.#clock.after(1000 / this.#script.tokensPerSecond, () => this.#write(answerId, token + 1, startedMs));
  }

  #finish(answerId: string, status: 'complete' | 'stopped' | 'failed', error: WireError | null): void {
    const waiting = this.#queue.indexOf(answerId);
    if (waiting >= 0) this.#queue.splice(waiting, 1);
    else if (this.#writing !== answerId) return;
    else this.#writing = null;
    const answerTokens = find(this.#of(answerId), answerId).content.split(/\s+/).length;
    const stats = {
      promptTokens: 412,
      answerTokens,
      prefillMs: this.#script.prefillMs,
      decodeMs: (answerTokens * 1000) / this.#script.tokensPerSecond,
      contextUsedTokens: 412 + answerTokens,
      contextTokens: 8192,
      droppedTurns: 0,
    };
    const grounded = this.#grounded.get(answerId);
    const evidence = status === 'complete' ? (grounded?.evidence ?? null) : null;
    this.#change(answerId, { status, error, stats: status === 'failed' || waiting >= 0 ? null : stats, evidence });
    const { id, content, stats: kept } = { ...find(this.#of(answerId), answerId), id: this.#of(answerId).id };
    this.#emit('answer.finished', { answerId, conversationId: id, status, content, stats: kept, error, evidence });
    this.#clock.after(1, () => this.#next());
  }

  #resetDevice(goOn: () => void): void {
    this.#hasBeenReset = true;
    const { engine } = this.#script;
    this.#setEngine({ ...engine, reset: LOST } as EngineStatus);
    this.#clock.after(1500, () => {
      this.#setEngine(engine);
      goOn();
    });
  }

  #loseDevice(answerId: string): void {
    const modelId = this.#settings.selectedModelId;
    this.#setEngine({ state: 'failed', modelId, error: LOST });
    this.#finish(answerId, 'failed', LOST);
    if (modelId) this.#clock.after(1500, () => this.#load(modelId));
  }

  #load(modelId: string): void {
    if (this.#remote.servers.some(({ models }) => models.some(({ id }) => id === modelId))) {
      this.#setEngine({ state: 'ready', modelId, adapter: { description: 'A server', software: false }, contextTokens: null });
      return this.#next();
    }
    const total = this.#models.find(({ id }) => id === modelId)?.sizeBytes ?? 1;
    const { loadMs } = this.#script;
    this.#setEngine({ state: 'loading', modelId, phase: 'weights', done: 0, total });
    if (loadMs === null) return;
    for (let step = 1; step < 20; step++)
      this.#clock.after((loadMs * step) / 20, () => {
        if (this.#engine.state === 'loading' && this.#engine.modelId === modelId)
          this.#setEngine({ ...this.#engine, done: (total * step) / 20 });
      });
    this.#clock.after(loadMs, () => {
      const before = this.#script.engine;
      const adapter = before.state === 'ready' ? before.adapter : ADAPTER;
      this.#setEngine({ state: 'ready', modelId, adapter, contextTokens: 8192 });
      this.#next();
    });
  }

  #setEngine(engine: EngineStatus): void {
    this.#engine = engine;
    this.#emit('engine.status', engine);
  }

  #import(path: string, owned = false): ModelEntry {
    const name = path.split('/').at(-1) ?? path;
    if (name.includes('broken'))
      throw fromWireError({
        code: 'gguf.not-gguf',
        message: `${path} does not begin with the letters GGUF but with PK, like a ZIP archive. Unpack it, or choose the .gguf file itself.`,
        details: { path },
      });
    const model: ModelEntry = {
      ...(this.#script.models[0] ?? scenario('plain', 0).models[0]),
      id: `model-${this.#nextId++}`,
      name: name.replace(/\.gguf$/, ''),
      path,
      builtIn: false,
      owned,
    };
    this.#models = [...this.#models, model];
    this.#emit('library.changed', { models: this.#models });
    return model;
  }

  #change(messageId: string, change: Partial<Message>): void {
    const conversation = this.#of(messageId);
    const messages = conversation.messages.map((message) => (message.id === messageId ? { ...message, ...change } : message));
    this.#conversations.set(conversation.id, { ...conversation, messages });
  }
}

function summary({ id, title, createdAtMs, updatedAtMs }: Conversation): ConversationSummary {
  return { id, title, createdAtMs, updatedAtMs };
}

function find(conversation: Conversation, messageId: string): Message {
  const message = conversation.messages.find(({ id }) => id === messageId);
  if (!message) throw serviceError('message.missing', 'This message was deleted.', { messageId });
  return message;
}
