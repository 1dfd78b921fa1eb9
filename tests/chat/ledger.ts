/**
 * What a client was told (acknowledged questions and answers, text that it was shown, answers that ended), and what is wrong with the
 * history that it finds after a crash. After a look it takes what it found for what it was told, so nothing may change later either.
 */
import type { Conversation, Message } from '../../main/contract/types.ts';
import type { AnyEvent } from '../../main/event-bus.ts';

/** What answer-writer.ts says that a crash may lose; a token of the scripted engine is one UTF-16 unit. */
const MAY_LOSE_TOKENS = 64;
const MAY_LOSE_MS = 250;

/** A request that was sent: until its response comes it may have been carried out wholly or not at all. */
export interface Intent {
  readonly conversationId: string | null;
  /** The question's parent; for another answer to a known question, that question. */
  readonly parentId: string | null;
  /** null: another answer to a known question. */
  readonly question: string | null;
  /** What the engine would answer. */
  readonly script: string;
}

interface Piece {
  readonly offset: number;
  readonly text: string;
  readonly atMs: number;
}

export class Ledger {
  readonly #messages = new Map<string, Message>();
  readonly #leaves = new Map<string, string>();
  /** By answer. */
  readonly #scripts = new Map<string, string>();
  readonly #shown = new Map<string, Piece[]>();
  readonly #ended = new Set<string>();
  #intents: Intent[] = [];
  /** The most that was shown and is gone. */
  lostTokens = 0;
  lostMs = 0;
  /** Requests that were killed before their response. */
  unanswered = { carriedOut: 0, not: 0 };

  get messages(): readonly Message[] {
    return [...this.#messages.values()];
  }

  leafOf(conversationId: string): string | undefined {
    return this.#leaves.get(conversationId);
  }

  sent(intent: Intent): void {
    this.#intents.push(intent);
  }

  /** The response: `messages` are committed. */
  acknowledged(intent: Intent, ...messages: readonly Message[]): void {
    this.#intents = this.#intents.filter((open) => open !== intent);
    for (const message of messages) {
      if (!this.#ended.has(message.id)) this.#messages.set(message.id, message);
      if (message.role === 'assistant') this.#scripts.set(message.id, intent.script);
    }
    const answer = messages.at(-1)!;
    this.#leaves.set(answer.conversationId, answer.id);
  }

  readonly heard = (event: AnyEvent, atMs: number): void => {
    if (event.name === 'answer.text') {
      const { answerId, offset, text } = event.payload;
      const pieces = this.#shown.get(answerId) ?? [];
      this.#shown.set(answerId, [...pieces, { offset, text, atMs }]);
    } else if (event.name === 'answer.finished') {
      const { answerId, content, status, stats } = event.payload;
      const message = this.#messages.get(answerId);
      if (!message) return; // its response was not heard: it is judged as a request that was not answered
      this.#messages.set(answerId, { ...message, content, status, stats });
      this.#ended.add(answerId);
    }
  };

  /** The text that a client has of an answer. */
  shownText(answerId: string): string {
    return (this.#shown.get(answerId) ?? []).map(({ text }) => text).join('');
  }

  /** What is wrong with the whole history as a client reads it after the restart. */
  faultsOf(conversations: readonly Conversation[]): string[] {
    const found = conversations.flatMap(({ messages }) => messages);
    const byId = new Map(found.map((message) => [message.id, message]));
    const faults = byId.size === found.length ? [] : [`${found.length - byId.size} messages are there twice`];
    for (const told of this.#messages.values()) {
      const message = byId.get(told.id);
      faults.push(...(message ? this.#faultsOfKnown(told, message) : [`${told.role} ${told.id} is lost`]));
    }
    faults.push(...this.#faultsOfNew(found.filter(({ id }) => !this.#messages.has(id))));
    for (const { id, leafId } of conversations)
      if (leafId !== this.#leaves.get(id)) faults.push(`${id} shows ${leafId} instead of ${this.#leaves.get(id)}`);
    for (const id of this.#leaves.keys())
      if (!conversations.some((conversation) => conversation.id === id)) faults.push(`conversation ${id} is lost`);
    for (const message of found) {
      this.#messages.set(message.id, message);
      this.#ended.add(message.id);
    }
    this.#intents = [];
    return faults;
  }

  #faultsOfKnown(told: Message, found: Message): string[] {
    const name = `${told.role} ${told.id}`;
    const place = ({ conversationId, parentId, role }: Message) => JSON.stringify([conversationId, parentId, role]);
    if (place(told) !== place(found)) return [`${name} stands elsewhere`];
    if (told.role === 'assistant' && !this.#ended.has(told.id)) return this.#faultsOfInterrupted(found);
    const same = (['content', 'status', 'stats'] as const).every(
      (key) => JSON.stringify(told[key]) === JSON.stringify(found[key]),
    );
    return same ? [] : [`${name} was ${JSON.stringify(told)} and is ${JSON.stringify(found)}`];
  }

  /** An answer whose end nobody heard of: all that was shown but the last moment, and nothing that was not said. */
  #faultsOfInterrupted({ id, content, status }: Message): string[] {
    const script = this.#scripts.get(id)!;
    const isWhole = status === 'complete' && content === script;
    if (status !== 'interrupted' && !isWhole) return [`answer ${id} is ${status} with ${content.length} units`];
    if (!script.startsWith(content)) return [`answer ${id} has text that was never written`];
    const pieces = this.#shown.get(id) ?? [];
    if (this.shownText(id) !== script.slice(0, this.shownText(id).length)) return [`answer ${id} was shown wrongly`];
    const lost = pieces.filter(({ offset, text }) => offset + text.length > content.length);
    if (lost.length === 0) return [];
    const tokens = this.shownText(id).length - content.length;
    const elapsedMs = lost.at(-1)!.atMs - lost[0].atMs;
    this.lostTokens = Math.max(this.lostTokens, tokens);
    this.lostMs = Math.max(this.lostMs, elapsedMs);
    return tokens > MAY_LOSE_TOKENS || elapsedMs > MAY_LOSE_MS ? [`answer ${id} lost ${tokens} tokens, ${elapsedMs} ms`] : [];
  }

  /** Messages that nobody was told of must be what a request without a response asked for, whole and once. */
  #faultsOfNew(unknown: readonly Message[]): string[] {
    const left = new Set(unknown);
    const faults: string[] = [];
    for (const { conversationId, parentId, question, script } of this.#intents) {
      const isHere = (message: Message) => conversationId === null || message.conversationId === conversationId;
      const asked = [...left].find((m) => question !== null && m.content === question && m.parentId === parentId && isHere(m));
      const questionId = question === null ? parentId : asked?.id;
      const answer = [...left].find((m) => m.role === 'assistant' && m.parentId === questionId && isHere(m));
      if (question !== null && !asked !== !answer) faults.push(`of "${question}" only one half is there`);
      this.unanswered[answer ? 'carriedOut' : 'not']++;
      if (!answer) continue;
      if (asked) left.delete(asked);
      left.delete(answer);
      this.#scripts.set(answer.id, script);
      faults.push(...this.#faultsOfInterrupted(answer));
      this.#leaves.set(answer.conversationId, answer.id);
    }
    for (const { role, id, content } of left) faults.push(`${role} ${id} (${content.slice(0, 40)}) was never asked for`);
    return faults;
  }
}
