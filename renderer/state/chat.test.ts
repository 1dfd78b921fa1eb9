import { beforeEach, describe, expect, it } from 'vitest';
import type { Channel, EventName, Events, RequestOf, ResponseOf } from '../../main/contract/channels.ts';
import { serviceError } from '../../main/contract/errors.ts';
import type { Conversation, Message } from '../../main/contract/types.ts';
import { Announcer } from './announcer.ts';
import { Chat } from './chat.ts';
import { ManualClock, settle } from './clock.ts';
import { FakeClient } from './fake-client.ts';
import { Notices } from './notices.ts';
import type { ScenarioName } from './fake-scenarios.ts';

function start(name: ScenarioName) {
  const clock = new ManualClock(1_700_000_000_000);
  const client = new FakeClient(clock, name);
  const notices = new Notices(clock);
  const chat = new Chat(client, clock, notices, new Announcer(clock));
  const shown = () => chat.value.branch.map(({ message }) => `${message.role}:${message.status}:${message.content}`);
  return { clock, client, notices, chat, shown };
}

describe('a conversation', () => {
  it('starts with a question and streams its answer', async () => {
    const { clock, client, chat, shown } = start('plain');
    client.answer = () => 'one two three';
    const sent = chat.send('Hello?');
    expect(chat.value.sending).toBe('Hello?');
    await clock.advance(1);
    expect(await sent).toBe(true);
    expect(chat.value.phase).toBe('open');
    expect(chat.value.sending).toBeNull();
    expect(shown()).toEqual(['user:complete:Hello?', 'assistant:queued:']);
    await clock.advance(240);
    expect(shown()[1]).toMatch(/^assistant:streaming:one/);
    await clock.advance(1000);
    expect(shown()[1]).toBe('assistant:complete:one two three');
    expect(chat.value.branch[1].message.stats?.answerTokens).toBe(3);
    expect(chat.value.busyConversations.size).toBe(0);
  });

  it('stops an answer and keeps its text', async () => {
    const { clock, chat } = start('slow');
    void chat.send('Hello?');
    await clock.advance(4000);
    const answer = chat.activeAnswer;
    expect(answer?.status).toBe('streaming');
    void chat.stop(answer!.id);
    expect(chat.value.stopping.has(answer!.id)).toBe(true);
    await clock.advance(10);
    const stopped = chat.value.branch[1].message;
    expect(stopped.status).toBe('stopped');
    expect(stopped.content.length).toBeGreaterThan(0);
    await clock.advance(3000);
    expect(chat.value.branch[1].message.content).toBe(stopped.content);
    expect(chat.value.stopping.size).toBe(0);
  });

  it('queues a second question behind the first answer', async () => {
    const { clock, client, chat, shown } = start('plain');
    client.answer = () => 'short';
    void chat.send('First');
    await clock.advance(50);
    void chat.send('Second');
    await clock.advance(50);
    expect(shown()[3]).toBe('assistant:queued:');
    await clock.advance(2000);
    expect(shown()).toEqual([
      'user:complete:First',
      'assistant:complete:short',
      'user:complete:Second',
      'assistant:complete:short',
    ]);
  });

  it('keeps a question that was asked while the model loads', async () => {
    const { clock, client, chat, shown } = start('loading');
    client.answer = () => 'done';
    void chat.send('Early');
    await clock.advance(3000);
    expect(shown()[1]).toBe('assistant:queued:');
    await clock.advance(4000);
    expect(shown()[1]).toBe('assistant:complete:done');
  });

  it('makes versions by editing and regenerating, and switches between them', async () => {
    const { clock, client, chat, shown } = start('plain');
    client.answer = (question) => `re ${question}`;
    void chat.send('A');
    await clock.advance(1000);
    const question = chat.value.branch[0].message;
    void chat.edit(question.id, 'B');
    await clock.advance(1000);
    expect(shown()).toEqual(['user:complete:B', 'assistant:complete:re B']);
    expect(chat.value.branch[0].versions).toMatchObject({ index: 2, count: 2, previousId: question.id });
    void chat.showVersion(question.id);
    await clock.advance(10);
    expect(shown()).toEqual(['user:complete:A', 'assistant:complete:re A']);
    void chat.regenerate(chat.value.branch[1].message.id);
    await clock.advance(1000);
    expect(chat.value.branch[1].versions).toMatchObject({ index: 2, count: 2 });
  });

  it('shows a lost device on the answer and keeps what was written', async () => {
    const { clock, chat } = start('device-lost');
    void chat.send('Hello?');
    await clock.advance(3000);
    const answer = chat.value.branch[1].message;
    expect(answer.status).toBe('failed');
    expect(answer.error?.code).toBe('gpu.device-lost');
    expect(answer.content).not.toBe('');
  });

  it('waits while the device is reset, and goes on where it was', async () => {
    const { clock, client, chat } = start('device-reset');
    const told: (string | undefined)[] = [];
    client.on('engine.status', (engine) => told.push(engine.state === 'ready' ? engine.reset?.code : engine.state));
    client.answer = () => Array.from({ length: 30 }, (_, word) => `w${word}`).join(' ');
    void chat.send('Hello?');
    await clock.advance(10_000);
    const { status, content } = chat.value.branch[1].message;
    expect([status, content]).toEqual(['complete', client.answer('')]);
    expect(told).toEqual(['gpu.device-lost', undefined]);
  });

  it('goes on growing while another conversation is open', async () => {
    const { clock, client, chat } = start('slow');
    client.answer = () => Array.from({ length: 30 }, (_, word) => `w${word}`).join(' ');
    void chat.send('Hello?');
    await clock.advance(3500);
    const id = chat.value.conversationId!;
    void chat.open('c-moe');
    await clock.advance(1000);
    expect(chat.value.conversationId).toBe('c-moe');
    expect([...chat.value.busyConversations]).toEqual([id]);
    void chat.open(id);
    await clock.advance(5000);
    expect(chat.value.branch[1].message.content).toBe(client.answer(''));
  });

  it('says why when a conversation is gone', async () => {
    const { clock, chat } = start('plain');
    void chat.open('nowhere');
    await clock.advance(5);
    expect(chat.value.phase).toBe('failed');
    expect(chat.value.error?.code).toBe('conversation.missing');
  });
});

/** A client whose replies and events the test gives by hand. */
class HandClient {
  readonly asked: { channel: Channel; request: unknown; resolve: (value: never) => void; reject: (error: unknown) => void }[] =
    [];
  readonly #listeners = new Map<EventName, (payload: never) => void>();
  request<C extends Channel>(channel: C, request: RequestOf<C>): Promise<ResponseOf<C>> {
    return new Promise<ResponseOf<C>>((resolve, reject) => this.asked.push({ channel, request, resolve, reject }));
  }
  on<E extends EventName>(event: E, listener: (payload: Events[E]) => void): () => void {
    this.#listeners.set(event, listener as (payload: never) => void);
    return () => this.#listeners.delete(event);
  }
  emit<E extends EventName>(event: E, payload: Events[E]): void {
    (this.#listeners.get(event) as ((payload: Events[E]) => void) | undefined)?.(payload);
  }
  pathOfDroppedFile = () => Promise.resolve('');
}

describe('events that come late, early or not at all', () => {
  let clock: ManualClock;
  let client: HandClient;
  let notices: Notices;
  let chat: Chat;
  const message = (id: string, change: Partial<Message>): Message => ({
    id,
    conversationId: 'c',
    parentId: null,
    role: 'assistant',
    content: '',
    status: 'streaming',
    createdAtMs: 0,
    modelName: null,
    remoteHost: null,
    stats: null,
    error: null,
    sources: [],
    evidence: null,
    ...change,
  });
  const conversation = (answer: Message): Conversation => ({
    id: 'c',
    title: 'c',
    createdAtMs: 0,
    updatedAtMs: 0,
    leafId: 'a',
    collectionId: null,
    messages: [message('q', { role: 'user', status: 'complete', content: '?' }), answer],
  });
  const text = (offset: number, piece: string) =>
    client.emit('answer.text', { answerId: 'a', conversationId: 'c', offset, text: piece, tokens: 3, elapsedMs: 10 });
  const finished = (content: string) =>
    client.emit('answer.finished', {
      answerId: 'a',
      conversationId: 'c',
      status: 'complete',
      content,
      stats: null,
      error: null,
      evidence: null,
    });
  const reply = async (value: unknown) => {
    client.asked.shift()!.resolve(value as never);
    await settle();
  };
  const answer = () => chat.value.branch.find(({ message: { id } }) => id === 'a')?.message;

  beforeEach(() => {
    clock = new ManualClock();
    client = new HandClient();
    notices = new Notices(clock);
    chat = new Chat(client, clock, notices, new Announcer(clock));
  });

  it('reads the conversation again when a piece is missing, until the gap is closed', async () => {
    void chat.open('c');
    await reply(conversation(message('a', { parentId: 'q', content: 'ab' })));
    text(4, 'ef');
    await clock.advance(100);
    expect(answer()?.content).toBe('ab');
    expect(client.asked).toHaveLength(0);
    await clock.advance(400);
    await reply(conversation(message('a', { parentId: 'q', content: 'abc' })));
    expect(answer()?.content).toBe('abc');
    await clock.advance(400);
    await reply(conversation(message('a', { parentId: 'q', content: 'abcd' })));
    expect(answer()?.content).toBe('abcdef');
    await clock.advance(2000);
    expect(client.asked).toHaveLength(0);
  });

  it('does not lose text that comes before the reply to the question', async () => {
    void chat.send('?');
    text(0, 'early ');
    text(6, 'words');
    await reply({
      conversation: { id: 'c', title: 'c', createdAtMs: 0, updatedAtMs: 0 },
      userMessage: message('q', { role: 'user', status: 'complete', content: '?' }),
      answer: message('a', { parentId: 'q', status: 'queued' }),
    });
    expect(answer()?.content).toBe('early words');
    expect(answer()?.status).toBe('streaming');
  });

  it('does not let a reply that was on its way undo an ending', async () => {
    void chat.send('?');
    finished('whole');
    await reply({
      conversation: { id: 'c', title: 'c', createdAtMs: 0, updatedAtMs: 0 },
      userMessage: message('q', { role: 'user', status: 'complete', content: '?' }),
      answer: message('a', { parentId: 'q', status: 'queued' }),
    });
    expect(answer()).toMatchObject({ status: 'complete', content: 'whole' });
  });

  it('draws many pieces once a frame', async () => {
    void chat.open('c');
    await reply(conversation(message('a', { parentId: 'q' })));
    let drawings = 0;
    let last = '';
    chat.subscribe(() => {
      if (answer()!.content !== last) drawings++;
      last = answer()!.content;
    });
    for (let piece = 0; piece < 100; piece++) text(piece, 'x');
    await clock.advance(20);
    expect(last).toHaveLength(100);
    expect(drawings).toBe(1);
  });

  it('shows nothing more once stop was asked', async () => {
    void chat.open('c');
    await reply(conversation(message('a', { parentId: 'q', content: 'ab' })));
    void chat.stop('a');
    text(2, 'cd');
    await clock.advance(50);
    expect(answer()?.content).toBe('ab');
  });

  it('gives the question back when the host refuses it', async () => {
    const sent = chat.send('?');
    client.asked.shift()!.reject(serviceError('data.disk-full', 'The disk is full.'));
    expect(await sent).toBe(false);
    expect(chat.value).toMatchObject({ sending: null, phase: 'new' });
    expect(notices.value[0]).toMatchObject({ tone: 'error', title: 'The disk is full' });
  });

  it('ignores the reply of a conversation that was left', async () => {
    void chat.open('c');
    const late = client.asked.shift()!;
    chat.newChat();
    late.resolve(conversation(message('a', { parentId: 'q' })) as never);
    await settle();
    expect(chat.value).toMatchObject({ phase: 'new', conversation: null });
  });

  it('starts a new chat when the open conversation is deleted', async () => {
    void chat.open('c');
    await reply(conversation(message('a', { parentId: 'q', status: 'complete' })));
    client.emit('conversations.changed', { conversationId: 'c', conversation: null });
    expect(chat.value.phase).toBe('new');
  });
});
