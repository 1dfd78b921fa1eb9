/**
 * Kills the services with SIGKILL around answers, again and again, and looks after each restart for what was lost or is there twice. Six
 * moments take turns; within each the instant is drawn. As a program: `node tests/chat/kill-answers.ts [--rounds 20] [--seed N]`, one JSON
 * document on stdout.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Message } from '../../main/contract/types.ts';
import { openTestDatabase } from '../../main/database/test-database.ts';
import { randomOf } from '../documents/corpus.ts';
import { ChatProcess, type Script } from './chat-process.ts';
import { Ledger, type Intent } from './ledger.ts';

export const MOMENTS = [
  'storing', // the question is sent, its response has not come
  'waiting', // stored, another one behind it in the queue, no text yet
  'streaming', // text is shown and committed now and then
  'ending', // around the last pieces and the end
  'regenerating', // another answer to an old question
  'editing', // another wording of an old question
] as const;
type Moment = (typeof MOMENTS)[number];

/** Killed up to so long after a request was sent, or after what was waited for was heard. */
const MOST_SPIN_MS = 6;
/** Below the setting that ends an answer (1024 tokens). */
const LONG_TOKENS = 1000;

export interface KillReport {
  readonly seed: number;
  readonly kills: number;
  readonly conversations: number;
  readonly messages: number;
  /** Requests that were killed before their response, by whether the restarted services know them. */
  readonly unanswered: { readonly carriedOut: number; readonly not: number };
  /** Answers that a kill ended, and the most that one of them had shown and lost. */
  readonly interrupted: number;
  readonly lostTokens: number;
  readonly lostMs: number;
  /** What is wrong; empty when all is well. */
  readonly faults: readonly string[];
}

export async function killAnswers(rounds: number, seed: number): Promise<KillReport> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'conclave kill ünï-'));
  const killer = new Killer(folder, seed);
  try {
    for (let kills = 0; kills < rounds; kills++) await killer.round(MOMENTS[kills % MOMENTS.length]);
    return { seed, kills: rounds, ...(await killer.end()) };
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

class Killer {
  readonly #folder: string;
  readonly #random: () => number;
  readonly #ledger = new Ledger();
  readonly #faults: string[] = [];
  #nTexts = 0;
  #chat!: ChatProcess;

  constructor(folder: string, seed: number) {
    this.#folder = folder;
    this.#random = randomOf(seed);
  }

  async round(moment: Moment): Promise<void> {
    await this.#start(moment);
    for (let turns = this.#ledger.messages.length === 0 ? 2 : this.#upTo(1); turns > 0; turns--) await this.#askToTheEnd();
    await this.#untilTheMoment(moment);
    spin(this.#random() * MOST_SPIN_MS);
    await this.#chat.kill();
    await sleep(0); // what was heard last is taken note of
  }

  /** After one more restart everything can be gone on with. */
  async end() {
    await this.#start('the end');
    await this.#askToTheEnd();
    await this.#chat.kill();
    const { messages, unanswered, lostTokens, lostMs } = this.#ledger;
    const interrupted = messages.filter(({ status }) => status === 'interrupted').length;
    const conversations = new Set(messages.map(({ conversationId }) => conversationId)).size;
    return { conversations, messages: messages.length, unanswered, interrupted, lostTokens, lostMs, faults: this.#faults };
  }

  /** Starts the services again and looks at everything, as a client and as SQLite sees it. */
  async #start(before: string): Promise<void> {
    this.#chat = new ChatProcess(this.#folder);
    this.#chat.onEvent = this.#ledger.heard;
    await this.#chat.ready();
    const list = await this.#chat.request('conversations.list', { query: '', limit: 500, beforeMs: null });
    const conversations = await Promise.all(
      list.map(({ id }) => this.#chat.request('conversations.get', { conversationId: id })),
    );
    const faults = [...this.#ledger.faultsOf(conversations), ...inspect(this.#folder)];
    for (const { role, content, conversationId } of this.#ledger.messages) {
      if (role !== 'user') continue;
      const found = await this.#chat.request('conversations.list', { query: content, limit: 10, beforeMs: null });
      if (found.length !== 1 || found[0].id !== conversationId) faults.push(`"${content}" is found in ${found.length} places`);
    }
    this.#faults.push(...faults.map((fault) => `before ${before}: ${fault}`));
  }

  async #untilTheMoment(moment: Moment): Promise<void> {
    const { text, ...pace } = this.#script(moment === 'ending' ? 1 + this.#upTo(90) : LONG_TOKENS);
    this.#chat.script = { text, ...pace, prefillMs: moment === 'waiting' ? 1e9 : 10 };
    if (moment === 'storing') return void this.#ask(this.#place());
    if (moment === 'waiting') {
      await this.#ask(this.#place());
      return void this.#ask(this.#place());
    }
    if (moment === 'regenerating' || moment === 'editing') {
      const old = this.#pick(this.#ledger.messages.filter(({ role }) => role === 'user'));
      const sent = moment === 'editing' ? this.#ask(old) : this.#answerAgain(old);
      if (this.#random() < 0.5) return; // else later, in the new version's text
      return this.#shown((await sent).id, this.#upTo(LONG_TOKENS / 4));
    }
    const { id } = await this.#ask(this.#place());
    return this.#shown(id, moment === 'ending' ? text.length - this.#upTo(2) : 1 + this.#upTo(LONG_TOKENS / 4));
  }

  #shown(answerId: string, units: number): Promise<void> {
    return this.#chat.until(() => this.#ledger.shownText(answerId).length >= units);
  }

  async #askToTheEnd(): Promise<void> {
    this.#chat.script = this.#script(this.#upTo(300));
    const { id } = await this.#ask(this.#place());
    await this.#chat.until(() => this.#ledger.messages.some((message) => message.id === id && message.status === 'complete'));
  }

  /** A new conversation, or below the branch that a known one shows. */
  #place(): { readonly conversationId: string | null; readonly parentId: string | null } {
    const known = this.#ledger.messages;
    if (known.length === 0 || this.#random() < 0.3) return { conversationId: null, parentId: null };
    const { conversationId } = this.#pick(known);
    return { conversationId, parentId: this.#ledger.leafOf(conversationId)! };
  }

  async #ask({ conversationId, parentId }: Pick<Intent, 'conversationId' | 'parentId'>): Promise<Message> {
    const text = `question${++this.#nTexts}mark`;
    const intent: Intent = { conversationId, parentId, question: text, script: this.#chat.script.text };
    this.#ledger.sent(intent);
    const { userMessage, answer } = await this.#chat.request('chat.send', { conversationId, parentId, text, collectionId: null });
    this.#ledger.acknowledged(intent, userMessage, answer);
    return answer;
  }

  async #answerAgain({ id, conversationId }: Message): Promise<Message> {
    const { id: answerId } = this.#ledger.messages.find(({ parentId }) => parentId === id)!;
    const intent: Intent = { conversationId, parentId: id, question: null, script: this.#chat.script.text };
    this.#ledger.sent(intent);
    const { answer } = await this.#chat.request('chat.regenerate', { answerId });
    this.#ledger.acknowledged(intent, answer);
    return answer;
  }

  /** Fast ones reach the limit of tokens before a commit is due by time. */
  #script(tokens: number): Script {
    const words = Array.from({ length: tokens / 2 + 1 }, () => this.#upTo(1295).toString(36)).join(' ');
    return { text: `${++this.#nTexts} ${words}`.slice(0, Math.max(1, tokens)), prefillMs: 10, tokenMs: this.#pick([1, 10, 60]) };
  }

  #upTo(most: number): number {
    return Math.floor(this.#random() * (most + 1));
  }

  #pick<T>(from: readonly T[]): T {
    return from[Math.floor(this.#random() * from.length)];
  }
}

/** The file is whole, every reference holds, nothing runs, and the search index says what the messages say. */
function inspect(folder: string): string[] {
  const { db, close } = openTestDatabase(folder);
  const faults: string[] = [];
  const expectNone = (what: string, rows: readonly unknown[]) => {
    if (rows.length > 0) faults.push(`${what}: ${JSON.stringify(rows)}`);
  };
  const integrity = db.all<{ integrity_check: string }>('PRAGMA integrity_check');
  expectNone(
    'integrity',
    integrity.filter((row) => row.integrity_check !== 'ok'),
  );
  expectNone('references', db.all('PRAGMA foreign_key_check'));
  expectNone('running', db.all(`SELECT id, status FROM messages WHERE status IN ('streaming', 'queued')`));
  expectNone('there twice', db.all(`SELECT content FROM messages WHERE role = 'user' GROUP BY content HAVING count(*) > 1`));
  for (const index of ['messages_search', 'titles_search']) {
    try {
      db.run(`INSERT INTO ${index} (${index}, rank) VALUES ('integrity-check', 1)`); // 1: against the table that it indexes
    } catch (error) {
      faults.push(`${index}: ${String(error)}`);
    }
  }
  close();
  return faults;
}

/** Stands still: no timer is so fine. */
function spin(elapsedMs: number): void {
  const end = performance.now() + elapsedMs;
  while (performance.now() < end);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: { rounds: { type: 'string', default: '20' }, seed: { type: 'string', default: '1' } },
  });
  console.log(JSON.stringify(await killAnswers(Number(values.rounds), Number(values.seed)), null, 1));
}
