/**
 * The open conversation. Requests commit at the host first; what streams back is put together by offset (live-answer.ts), drawn at
 * most once a frame, and read again from the conversation when a piece is missing. Answers of other conversations are kept
 * growing too, so that going back to one shows it whole.
 */
import type { Events } from '../../main/contract/channels.ts';
import { toWireError, type WireError } from '../../main/contract/errors.ts';
import { splitThoughts } from '../../main/contract/thoughts.ts';
import type { Conversation, Message } from '../../main/contract/types.ts';
import type { Announcer } from './announcer.ts';
import type { PageClient } from './client.ts';
import type { Clock } from './clock.ts';
import { CollectionChoice } from './documents-choice.ts';
import { LiveAnswer } from './live-answer.ts';
import { noAnswerText } from './no-answer.ts';
import type { Notices } from './notices.ts';
import { Store } from './store.ts';
import { leafBelow, visibleBranch, type BranchItem } from './versions.ts';

export interface Progress {
  readonly done: number;
  readonly total: number;
}

export interface ChatView {
  readonly phase: 'new' | 'loading' | 'open' | 'failed';
  /** null: a conversation that begins with the next question. */
  readonly conversationId: string | null;
  readonly conversation: Conversation | null;
  readonly branch: readonly BranchItem[];
  /** A question on its way to the host. */
  readonly sending: string | null;
  readonly error: WireError | null;
  /** By answer: prompt tokens read, while no text has come. */
  readonly prefill: ReadonlyMap<string, Progress>;
  /** By answer: the speed so far. */
  readonly speed: ReadonlyMap<string, { readonly tokens: number; readonly elapsedMs: number }>;
  /** Answers for which stopping was asked. */
  readonly stopping: ReadonlySet<string>;
  /** Conversations in which an answer is being written. */
  readonly busyConversations: ReadonlySet<string>;
}

const NEW: ChatView = {
  phase: 'new',
  conversationId: null,
  conversation: null,
  branch: [],
  sending: null,
  error: null,
  prefill: new Map(),
  speed: new Map(),
  stopping: new Set(),
  busyConversations: new Set(),
};

/** Between two readings of a conversation from which a piece is missing: the host commits answers in steps. */
const REREAD_PAUSE_MS = 400;
/** More than can begin or end while one reply is on its way. */
const ENDINGS_KEPT = 64;

export class Chat extends Store<ChatView> {
  readonly #client: PageClient;
  readonly #clock: Clock;
  readonly #notices: Notices;
  readonly #announcer: Announcer;
  readonly #choice: CollectionChoice;
  readonly #live = new Map<string, { conversationId: string; answer: LiveAnswer }>();
  readonly #dirty = new Set<string>();
  /** How recent answers ended: a reply that was on its way when one ended may still say that it streams. */
  readonly #ended = new Map<string, Partial<Message>>();
  /** Passages of recent answers: they may be told before the reply that makes an answer known. */
  readonly #sources = new Map<string, Message['sources']>();
  #drawScheduled = false;
  #rereadScheduled = false;
  /** Changes whenever another conversation is opened, so that late replies find out. */
  #visit = 0;

  constructor(
    client: PageClient,
    clock: Clock,
    notices: Notices,
    announcer: Announcer,
    choice = new CollectionChoice(client, notices),
  ) {
    super(NEW);
    this.#client = client;
    this.#clock = clock;
    this.#notices = notices;
    this.#announcer = announcer;
    client.on('answer.started', ({ answerId, modelName, remoteHost }) => this.#update(answerId, { modelName, remoteHost }));
    this.#choice = choice;
    client.on('answer.sources', (event) => this.#onSources(event));
    client.on('answer.prefill', (event) => this.#onPrefill(event));
    client.on('answer.text', (event) => this.#onText(event));
    client.on('answer.finished', (event) => this.#onFinished(event));
    client.on('conversations.changed', ({ conversationId, conversation }) => {
      const open = this.value.conversation;
      if (open?.id !== conversationId) return;
      if (conversation === null) this.newChat();
      else this.patch({ conversation: { ...open, ...conversation } });
    });
    client.onConnection?.((connection) => {
      if (connection !== 'restored') return;
      this.#live.clear();
      this.patch({ busyConversations: new Set() });
      void this.#reread();
    });
  }

  newChat(): void {
    this.#visit++;
    this.set({ ...NEW, busyConversations: this.value.busyConversations });
  }

  async open(conversationId: string): Promise<void> {
    if (conversationId === this.value.conversationId && this.value.phase !== 'failed') return;
    const visit = ++this.#visit;
    this.set({ ...NEW, phase: 'loading', conversationId, busyConversations: this.value.busyConversations });
    try {
      const conversation = await this.#client.request('conversations.get', { conversationId });
      if (visit !== this.#visit) return;
      this.#choice.learn(conversationId, conversation.collectionId);
      this.#show(conversation);
    } catch (error) {
      if (visit === this.#visit) this.patch({ phase: 'failed', error: toWireError(error) });
    }
  }

  /** The answer that is being written or waits, on the branch that is shown. */
  get activeAnswer(): Message | null {
    const items = this.value.branch;
    return (
      items.find(({ message }) => message.status === 'streaming')?.message ??
      items.findLast(({ message }) => message.status === 'queued')?.message ??
      null
    );
  }

  /** Asks at the end of the branch. Resolves to false when the host refused; the caller keeps the text. */
  send(text: string): Promise<boolean> {
    return this.#ask(text, this.value.branch.at(-1)?.message.id ?? null);
  }

  /** Asks again in other words: a new version beside the old question. */
  edit(messageId: string, text: string): Promise<boolean> {
    const question = this.value.conversation?.messages.find((message) => message.id === messageId);
    if (!question) return Promise.resolve(false);
    return this.#ask(text, question.parentId);
  }

  async regenerate(answerId: string): Promise<void> {
    const visit = this.#visit;
    try {
      const { answer } = await this.#client.request('chat.regenerate', { answerId });
      if (visit === this.#visit) this.#add([answer]);
    } catch (error) {
      this.#notices.error(toWireError(error));
    }
  }

  async stop(answerId: string): Promise<void> {
    if (this.value.stopping.has(answerId)) return;
    this.patch({ stopping: new Set(this.value.stopping).add(answerId) });
    try {
      await this.#client.request('chat.stop', { answerId });
      const message = this.value.conversation?.messages.find(({ id }) => id === answerId);
      if (message?.status === 'streaming' || message?.status === 'queued') this.#update(answerId, { status: 'stopped' });
    } catch (error) {
      this.#notices.error(toWireError(error));
    }
    const stopping = new Set(this.value.stopping);
    stopping.delete(answerId);
    this.patch({ stopping });
  }

  /** Shows the branch through another version. */
  async showVersion(messageId: string): Promise<void> {
    const { conversation } = this.value;
    if (!conversation) return;
    const visit = this.#visit;
    this.#show({ ...conversation, leafId: leafBelow(conversation.messages, messageId) });
    try {
      const { leafId } = await this.#client.request('conversations.show', { conversationId: conversation.id, messageId });
      const now = this.value.conversation;
      if (visit === this.#visit && now) this.#show({ ...now, leafId });
    } catch (error) {
      this.#notices.error(toWireError(error));
    }
  }

  async #ask(text: string, parentId: string | null): Promise<boolean> {
    const visit = this.#visit;
    const { conversationId } = this.value;
    const isNew = conversationId === null;
    if (this.value.sending !== null) return false;
    this.patch({ sending: text });
    try {
      const collectionId = this.#choice.of(conversationId);
      const question = { conversationId, parentId, text, collectionId };
      const { conversation, userMessage, answer } = await this.#client.request('chat.send', question);
      if (isNew) this.#choice.begun(conversation.id);
      if (visit !== this.#visit) return true;
      const messages = isNew ? [] : (this.value.conversation?.messages ?? []);
      this.patch({ sending: null, conversationId: conversation.id });
      this.#show({
        ...conversation,
        messages: merge(messages, [userMessage, answer]),
        leafId: answer.id,
        collectionId,
      });
      return true;
    } catch (error) {
      if (visit === this.#visit) this.patch({ sending: null });
      this.#notices.error(toWireError(error));
      return false;
    }
  }

  #add(messages: readonly Message[]): void {
    const { conversation } = this.value;
    if (!conversation) return;
    this.#show({
      ...conversation,
      messages: merge(conversation.messages, messages),
      leafId: messages.at(-1)?.id ?? conversation.leafId,
    });
  }

  /** Shows a conversation as it was read, with what is known beyond it of answers still being written. */
  #show(read: Conversation): void {
    const messages = read.messages.map((known) => {
      const sources = known.sources.length === 0 ? this.#sources.get(known.id) : undefined;
      const message = sources ? { ...known, sources } : known;
      if (message.status !== 'streaming' && message.status !== 'queued') return message;
      const ended = this.#ended.get(message.id);
      if (ended) return { ...message, ...ended };
      const live = this.#live.get(message.id)?.answer;
      if (!live) return message;
      live.rebase(message.content);
      return live.text === message.content ? message : { ...message, status: 'streaming' as const, content: live.text };
    });
    const conversation = { ...read, messages };
    const branch = visibleBranch(messages, read.leafId, this.value.branch);
    this.patch({ phase: 'open', error: null, conversation, branch });
  }

  #update(messageId: string, change: Partial<Message>): void {
    const { conversation } = this.value;
    if (!conversation) return;
    const messages = conversation.messages.map((message) => (message.id === messageId ? { ...message, ...change } : message));
    this.patch({
      conversation: { ...conversation, messages },
      branch: visibleBranch(messages, conversation.leafId, this.value.branch),
    });
  }

  #onSources({ answerId, sources }: Events['answer.sources']): void {
    this.#sources.set(answerId, sources);
    if (this.#sources.size > ENDINGS_KEPT) this.#sources.delete([...this.#sources.keys()][0]);
    this.#update(answerId, { sources });
  }

  #onPrefill({ answerId, done, total }: Events['answer.prefill']): void {
    this.patch({ prefill: new Map(this.value.prefill).set(answerId, { done, total }) });
    const message = this.value.conversation?.messages.find(({ id }) => id === answerId);
    if (message?.status === 'queued') this.#update(answerId, { status: 'streaming' });
  }

  #onText({ answerId, conversationId, offset, text, tokens, elapsedMs }: Events['answer.text']): void {
    if (this.value.stopping.has(answerId)) return;
    let live = this.#live.get(answerId);
    if (!live) {
      live = { conversationId, answer: new LiveAnswer() };
      const known = this.value.conversation?.messages.find(({ id }) => id === answerId);
      if (known) live.answer.rebase(known.content);
      this.#live.set(answerId, live);
      this.patch({ busyConversations: new Set(this.value.busyConversations).add(conversationId) });
    }
    const outcome = live.answer.push(offset, text);
    if (conversationId !== this.value.conversationId) return;
    if (outcome === 'gap') this.#scheduleReread();
    if (outcome !== 'added') return;
    this.patch({ speed: new Map(this.value.speed).set(answerId, { tokens, elapsedMs }) });
    this.#dirty.add(answerId);
    if (this.#drawScheduled) return;
    this.#drawScheduled = true;
    this.#clock.frame(() => this.#draw());
  }

  #draw(): void {
    this.#drawScheduled = false;
    for (const answerId of this.#dirty) {
      const live = this.#live.get(answerId);
      if (!live || live.conversationId !== this.value.conversationId || this.value.stopping.has(answerId)) continue;
      this.#update(answerId, { status: 'streaming', content: live.answer.text });
      const { thoughts, answer, isThinking } = splitThoughts(live.answer.text, true);
      if (isThinking && thoughts !== null) this.#announcer.thinking(answerId);
      else this.#announcer.streamed(answerId, answer);
    }
    this.#dirty.clear();
  }

  #onFinished({ answerId, conversationId, status, content, stats, error, evidence }: Events['answer.finished']): void {
    this.#live.delete(answerId);
    this.#dirty.delete(answerId);
    this.#remember(answerId, { status, content, stats, error, evidence });
    const stillBusy = [...this.#live.values()].some((live) => live.conversationId === conversationId);
    const busyConversations = new Set(this.value.busyConversations);
    if (!stillBusy) busyConversations.delete(conversationId);
    const prefill = new Map(this.value.prefill);
    prefill.delete(answerId);
    this.patch({ busyConversations, prefill });
    if (conversationId !== this.value.conversationId) return;
    if (this.value.conversation?.messages.some(({ id }) => id === answerId)) {
      this.#update(answerId, { status, content, stats, error, evidence });
      const cutShort = status === 'complete' ? (noAnswerText({ content, status, error }) ?? (error && CUT_OFF)) : null;
      this.#announcer.finished(answerId, splitThoughts(content).answer, cutShort ?? ENDINGS[status]);
    } else this.#scheduleReread();
  }

  #remember(answerId: string, ending: Partial<Message>): void {
    this.#ended.set(answerId, ending);
    if (this.#ended.size > ENDINGS_KEPT) this.#ended.delete([...this.#ended.keys()][0]);
  }

  #scheduleReread(): void {
    if (this.#rereadScheduled) return;
    this.#rereadScheduled = true;
    this.#clock.after(REREAD_PAUSE_MS, () => {
      this.#rereadScheduled = false;
      void this.#reread();
    });
  }

  async #reread(): Promise<void> {
    const { conversationId } = this.value;
    if (conversationId === null) return;
    const visit = this.#visit;
    try {
      const read = await this.#client.request('conversations.get', { conversationId });
      if (visit !== this.#visit) return;
      this.#show({ ...read, leafId: this.value.conversation?.leafId ?? read.leafId });
      if ([...this.#live.values()].some((live) => live.conversationId === conversationId && live.answer.hasGap))
        this.#scheduleReread();
    } catch (error) {
      this.#notices.error(toWireError(error));
    }
  }
}

const ENDINGS: Record<Message['status'], string> = {
  complete: 'End of the answer.',
  stopped: 'The answer was stopped.',
  interrupted: 'The answer was interrupted.',
  failed: 'The answer failed.',
  streaming: '',
  queued: '',
};
const CUT_OFF = 'The answer was cut off.';

/** Known messages keep their place, newer states replace them, new ones follow. */
function merge(known: readonly Message[], added: readonly Message[]): readonly Message[] {
  const byId = new Map(known.map((message) => [message.id, message]));
  for (const message of added) byId.set(message.id, message);
  return [...byId.values()];
}
