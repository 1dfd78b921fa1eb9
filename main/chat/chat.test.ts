import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openBetterSqlite3 } from '../database/better-sqlite3.ts';
import { temporaryFolder } from '../../tests/fixtures-services/temporary-folder.ts';
import { FAKE_FACTS } from '../../tests/fixtures-services/fake-models.ts';
import type { FakeScenario } from '../../tests/fixtures-services/fake-engine.ts';
import { settle } from '../../tests/fixtures-services/manual-clock.ts';
import { finishedEvents, testServices, type TestServices } from '../../tests/fixtures-services/test-services.ts';
import type { ServicesOptions } from '../services.ts';

let folder: ReturnType<typeof temporaryFolder>;
let open: TestServices[] = [];
beforeEach(() => void (folder = temporaryFolder()));
afterEach(async () => {
  for (const { services, clock } of open) await Promise.all([services.close(), clock.advance(10_000)]);
  open = [];
  folder.remove();
});

function setUp(scenario: FakeScenario = 'plain', options: Partial<ServicesOptions> = {}): TestServices {
  const test = testServices(folder.path, scenario, options);
  open.push(test);
  return test;
}

async function ready(scenario: FakeScenario = 'plain'): Promise<TestServices> {
  const test = setUp(scenario);
  await test.withModel();
  await test.until(() => test.events.some((event) => event.name === 'engine.status' && event.payload.state === 'ready'), 'ready');
  return test;
}

const finishes = (t: TestServices, n = 1) => t.until(() => finishedEvents(t.events).length >= n, `answer ${n}`);

test('a question and its empty answer are committed before the engine hears of anything', async () => {
  const t = await ready();
  const committed: unknown[] = [];
  t.engine.onGenerate = () => {
    const other = openBetterSqlite3(path.join(folder.path, 'history.sqlite')); // sees what is committed, nothing else
    committed.push(...other.prepare('SELECT role, content, status FROM messages ORDER BY seq').all());
    other.close();
  };
  const { conversation, userMessage, answer } = await t.ask('What is the capital of France?');
  expect([userMessage.status, answer.status, answer.content]).toEqual(['complete', 'queued', '']);
  await finishes(t);
  expect(committed).toEqual([
    { role: 'user', content: 'What is the capital of France?', status: 'complete' },
    { role: 'assistant', content: '', status: 'streaming' },
  ]);
  const { leafId, title } = await t.request('conversations.get', { conversationId: conversation.id });
  expect([leafId, title]).toEqual([answer.id, 'What is the capital of France?']);
});

test('the answer streams with offsets, is committed in small steps and ends complete', async () => {
  const t = await ready();
  t.engine.answer = 'x'.repeat(200) + ' 🐦';
  const { conversation, answer } = await t.ask('Sing');
  const texts = () => t.events.flatMap((event) => (event.name === 'answer.text' ? [event.payload] : []));
  await t.until(() => texts().length === 40);
  const midway = await t.message(conversation.id, answer.id);
  expect(midway.status).toBe('streaming');
  expect(midway.content.length).toBeGreaterThan(0);
  expect(midway.content.length).toBeLessThanOrEqual(40);
  await finishes(t);
  let text = '';
  for (const piece of texts()) {
    expect(piece.offset).toBe(text.length);
    text += piece.text;
  }
  expect(text).toBe(t.engine.answer);
  expect(texts().some(({ text: piece }) => /^[\uD800-\uDBFF]$|^[\uDC00-\uDFFF]$/.test(piece))).toBe(false);
  const done = await t.message(conversation.id, answer.id);
  expect(done).toMatchObject({
    content: t.engine.answer,
    status: 'complete',
    modelName: 'model',
    error: null,
    stats: { promptTokens: '<user>Sing<assistant>'.length, contextTokens: 400, droppedTurns: 0 },
  });
  expect(finishedEvents(t.events)[0]).toMatchObject({ answerId: answer.id, status: 'complete', content: t.engine.answer });
});

test('an answer whose thoughts begin in the prompt is kept and told whole, and its next turn goes without them', async () => {
  const t = setUp();
  t.files.opening = '<think>\n';
  await t.withModel();
  t.engine.answer = 'Easy.\n</think>\n\nParis.';
  const { conversation, answer } = await t.ask('Capital?');
  await finishes(t);
  const whole = '<think>\nEasy.\n</think>\n\nParis.';
  expect(t.engine.prompts[0]).toBe('<user>Capital?<assistant><think>\n');
  const pieces = t.events.flatMap((event) => (event.name === 'answer.text' ? [event.payload] : []));
  expect([pieces[0].offset, pieces[0].text, pieces[0].tokens]).toEqual([0, '<think>\nE', 1]);
  expect(pieces.map(({ text }) => text).join('')).toBe(whole);
  expect(await t.message(conversation.id, answer.id)).toMatchObject({ content: whole, status: 'complete' });
  await t.ask('Really?', { conversationId: conversation.id, parentId: answer.id });
  await finishes(t, 2);
  expect(t.engine.prompts[1]).toBe('<user>Capital?<assistant>Paris.<user>Really?<assistant><think>\n');
});

test('stop: the text is committed at once, late tokens are ignored, the next question runs when the engine is free', async () => {
  const t = await ready('deaf');
  const first = await t.ask('First');
  await t.until(() => t.events.some((event) => event.name === 'answer.text' && event.payload.tokens === 3));
  const second = await t.ask('Second');
  const before = t.clock.nowMs();
  await t.request('chat.stop', { answerId: first.answer.id });
  expect(t.clock.nowMs()).toBe(before);
  const stopped = await t.message(first.conversation.id, first.answer.id);
  expect(stopped).toMatchObject({ status: 'stopped', content: 'Par', stats: { answerTokens: 3 } });
  expect(finishedEvents(t.events)).toMatchObject([{ status: 'stopped', content: 'Par' }]);
  expect(t.engine.calls.filter((call) => call === 'generate')).toHaveLength(1);
  await t.until(() => t.engine.calls.filter((call) => call === 'generate').length === 2, 'the second question');
  expect(await t.message(first.conversation.id, first.answer.id)).toEqual(stopped);
  await t.request('chat.stop', { answerId: first.answer.id });
  expect(finishedEvents(t.events)).toHaveLength(1);
  await t.request('chat.stop', { answerId: second.answer.id });
});

test('questions before the model is ready wait in order, one answer at a time', async () => {
  const t = setUp();
  const a = await t.ask('A');
  const b = await t.ask('B');
  const c = await t.ask('C');
  await settle();
  expect(t.engine.calls).toEqual([]);
  expect((await t.message(a.conversation.id, a.answer.id)).status).toBe('queued');
  await t.request('chat.stop', { answerId: b.answer.id });
  await t.withModel();
  await finishes(t, 3);
  expect(t.engine.prompts).toEqual(['<user>A<assistant>', '<user>C<assistant>']);
  expect(finishedEvents(t.events).map((event) => [event.answerId, event.status])).toEqual([
    [b.answer.id, 'stopped'],
    [a.answer.id, 'complete'],
    [c.answer.id, 'complete'],
  ]);
});

test('a conversation goes on: the prompt has system prompt and turns; regenerating and editing make versions', async () => {
  const t = await ready();
  await t.request('settings.update', { systemPrompt: 'Be brief.' });
  t.engine.answer = 'One';
  const first = await t.ask('1?');
  await finishes(t, 1);
  const conversationId = first.conversation.id;
  await t.ask('2?', { conversationId, parentId: first.answer.id });
  await finishes(t, 2);
  expect(t.engine.prompts[1]).toBe('<system>Be brief.<user>1?<assistant>One<user>2?<assistant>');
  t.engine.answer = 'Uno';
  const { answer: again } = await t.request('chat.regenerate', { answerId: first.answer.id });
  await finishes(t, 3);
  expect(t.engine.prompts[2]).toBe('<system>Be brief.<user>1?<assistant>');
  expect(again.parentId).toBe(first.userMessage.id);
  await t.ask('changed', { conversationId, parentId: null });
  await finishes(t, 4);
  expect(t.engine.prompts[3]).toBe('<system>Be brief.<user>changed<assistant>');
  const tree = await t.request('conversations.get', { conversationId });
  expect(tree.messages.map((m) => m.content)).toEqual(['1?', 'One', '2?', 'One', 'Uno', 'changed', 'Uno']);
  const shown = await t.request('conversations.show', { conversationId, messageId: first.answer.id });
  expect(tree.messages.find((m) => m.id === shown.leafId)?.content).toBe('One');
  expect(tree.messages.find((m) => m.id === shown.leafId)?.parentId).toBe(tree.messages[2].id);
});

test('sampling comes from the settings; without a fixed seed each answer gets a new one', async () => {
  const t = await ready();
  await t.ask('A');
  await finishes(t, 1);
  await t.request('settings.update', { seed: 42, temperature: 0, maxAnswerTokens: 3 });
  const { conversation, answer } = await t.ask('B');
  await finishes(t, 2);
  expect(t.engine.requests.map(({ sampling, maxTokens }) => [sampling.seed, sampling.temperature, maxTokens])).toEqual([
    [7, 0.7, 382],
    [42, 0, 3],
  ]);
  expect(await t.message(conversation.id, answer.id)).toMatchObject({
    content: 'Par',
    status: 'complete',
    error: { code: 'engine.answer-full', details: { answerTokens: 3 } },
  });
});

test('sampling: the user’s value wins over the model’s, which wins over the app’s; null gives it back', async () => {
  const t = setUp();
  t.files.facts = { ...FAKE_FACTS, sampling: { temperature: 0, topK: 5, topP: null, minP: null } };
  await t.withModel();
  for (const [i, change] of [{}, { topK: 9, topP: 0.5 }, { topK: null }].entries()) {
    await t.request('settings.update', change);
    await t.ask('Q');
    await finishes(t, i + 1);
  }
  expect(t.engine.requests.map(({ sampling: { temperature, topK, topP, minP } }) => [temperature, topK, topP, minP])).toEqual([
    [0, 5, 0.95, 0.05],
    [0, 9, 0.5, 0.05],
    [0, 5, 0.5, 0.05],
  ]);
});

test.each([
  ['error', 'failed', 'gpu.shader'],
  ['device-lost', 'failed', 'gpu.device-lost'],
  ['context-full', 'complete', 'engine.context-full'],
] as const)('%s: the text so far stays, with %s and %s', async (scenario, status, code) => {
  const t = await ready(scenario);
  const { conversation, answer } = await t.ask('Q');
  await finishes(t);
  expect(await t.message(conversation.id, answer.id)).toMatchObject({ status, content: 'Pari', error: { code } });
});

test('a device that fails once: the state says so, the answer is whole, nothing is loaded by us', async () => {
  const t = await ready('device-reset');
  const { conversation, answer } = await t.ask('Q');
  await finishes(t);
  expect(await t.message(conversation.id, answer.id)).toMatchObject({
    status: 'complete',
    content: t.engine.answer,
    error: null,
  });
  const states = t.events.flatMap((event) =>
    event.name === 'engine.status' && event.payload.state === 'ready' ? [event.payload] : [],
  );
  expect(states.map(({ reset }) => reset?.code)).toEqual([undefined, 'gpu.device-lost', undefined]);
  expect(t.engine.calls.filter((call) => call.startsWith('load'))).toHaveLength(1);
});

test('an empty answer is complete and empty; the next prompt joins the two questions', async () => {
  const t = await ready('empty');
  const { conversation, answer } = await t.ask('Q');
  await finishes(t);
  expect(await t.message(conversation.id, answer.id)).toMatchObject({ status: 'complete', content: '', error: null });
  await t.ask('Hello?', { conversationId: conversation.id, parentId: answer.id });
  await finishes(t, 2);
  expect(t.engine.prompts[1]).toBe('<user>Q\n\nHello?<assistant>');
});

test('when no model can be had, waiting questions fail with the reason', async () => {
  const t = setUp('out-of-memory');
  const { conversation, answer } = await t.ask('Q');
  await t.withModel();
  await finishes(t);
  const failed = { status: 'failed', error: { code: 'gpu.out-of-memory' } };
  expect(await t.message(conversation.id, answer.id)).toMatchObject(failed);
  const later = await t.ask('And now?');
  await finishes(t, 2);
  expect(await t.message(later.conversation.id, later.answer.id)).toMatchObject(failed);
});

test('a question too long for the context is failed with both numbers, the next one runs', async () => {
  const t = await ready();
  const { conversation, answer } = await t.ask('x'.repeat(500));
  await finishes(t);
  expect((await t.message(conversation.id, answer.id)).error).toMatchObject({
    code: 'engine.context-full',
    details: { promptTokens: 500 + '<user><assistant>'.length, contextTokens: 400 },
  });
  await t.ask('short');
  await finishes(t, 2);
  expect(finishedEvents(t.events)[1].status).toBe('complete');
});

test('a full disk in the middle of an answer fails it with that reason and ends the engine; with space again all goes on', async () => {
  let isFull = false;
  const t = setUp('plain', {
    openConnection(file) {
      const connection = openBetterSqlite3(file);
      const refuse = (sql: string) => {
        if (isFull && /^UPDATE/.test(sql)) throw Object.assign(new Error('database or disk is full'), { code: 'SQLITE_FULL' });
      };
      return {
        exec: (sql) => connection.exec(sql),
        close: () => connection.close(),
        prepare(sql) {
          const statement = connection.prepare(sql);
          const run = (...parameters: (string | number | null)[]) => (refuse(sql), statement.run(...parameters));
          return { run, get: (...given) => statement.get(...given), all: (...given) => statement.all(...given) };
        },
      };
    },
  });
  await t.withModel();
  t.engine.answer = 'x'.repeat(300);
  const { conversation, answer } = await t.ask('Q');
  await t.until(() => t.events.some((event) => event.name === 'answer.text' && event.payload.tokens === 5));
  isFull = true;
  await finishes(t);
  const [told] = finishedEvents(t.events);
  expect(told).toMatchObject({ answerId: answer.id, status: 'failed', error: { code: 'data.disk-full' } });
  expect(told.content.length).toBeLessThan(100);
  isFull = false;
  await t.ask('Again', { conversationId: conversation.id, parentId: answer.id });
  await finishes(t, 2);
  expect(finishedEvents(t.events)[1].status).toBe('complete');
});

test('deleting a conversation ends its answers; late tokens hit nothing', async () => {
  const t = await ready('deaf');
  const { conversation } = await t.ask('Q');
  await t.until(() => t.events.some((event) => event.name === 'answer.text'));
  await t.request('conversations.delete', { conversationId: conversation.id });
  await t.clock.advance(10_000);
  await expect(t.request('conversations.get', { conversationId: conversation.id })).rejects.toMatchObject({
    code: 'conversation.missing',
  });
  expect(await t.request('conversations.list', { query: '', limit: 9, beforeMs: null })).toEqual([]);
});

test('closing commits what there is as interrupted; a crash does so at the next start', async () => {
  const t = await ready('slow');
  const running = await t.ask('A');
  const waiting = await t.ask('B');
  await t.until(() => t.events.some((event) => event.name === 'answer.text' && event.payload.tokens === 2));
  open = [];
  await Promise.all([t.services.close(), t.clock.advance(10_000)]);
  const again = setUp();
  expect(await again.message(running.conversation.id, running.answer.id)).toMatchObject({ status: 'interrupted', content: 'Pa' });
  expect(await again.message(waiting.conversation.id, waiting.answer.id)).toMatchObject({ status: 'interrupted', content: '' });
});

test('what a page asks for wrongly is refused and changes nothing', async () => {
  const t = await ready();
  const { conversation, userMessage, answer } = await t.ask('Q');
  await finishes(t);
  const other = await t.ask('Other');
  await finishes(t, 2);
  const send = (conversationId: string | null, parentId: string | null) =>
    t.request('chat.send', { conversationId, parentId, text: 'x', collectionId: null });
  await expect(send('nowhere', null)).rejects.toMatchObject({ code: 'conversation.missing' });
  await expect(send(null, answer.id)).rejects.toMatchObject({ code: 'request.invalid' });
  await expect(send(conversation.id, userMessage.id)).rejects.toMatchObject({ code: 'request.invalid' });
  await expect(send(conversation.id, other.answer.id)).rejects.toMatchObject({ code: 'message.missing' });
  await expect(t.request('chat.regenerate', { answerId: userMessage.id })).rejects.toMatchObject({ code: 'request.invalid' });
  await expect(t.request('chat.stop', { answerId: 'nothing' })).rejects.toMatchObject({ code: 'message.missing' });
  expect((await t.request('conversations.get', { conversationId: conversation.id })).messages).toHaveLength(2);
  expect(await t.request('conversations.list', { query: '', limit: 9, beforeMs: null })).toHaveLength(2);
});
