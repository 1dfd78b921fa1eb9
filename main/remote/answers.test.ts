import { describe, expect, test } from 'vitest';
import {
  beginStream,
  DONE,
  json,
  piece,
  pieceOf,
  streamAnswer,
  streamDeltas,
} from '../../tests/fixtures-services/fake-openai.ts';
import { answerTo, finishes, remoteBox, SECRET } from '../../tests/fixtures-services/remote-box.ts';
import { splitThoughts } from '../contract/thoughts.ts';
import { finishedEvents, type TestServices } from '../../tests/fixtures-services/test-services.ts';

const box = remoteBox();
const { setUp, end, withRemote } = box;

/** A question whose answer hangs after its first word. */
async function halfAnswered(t: TestServices) {
  await withRemote(t);
  box.server.reply = (_, response) => {
    beginStream(response);
    response.write(piece('Half'));
  };
  const asked = await t.ask('Q');
  await t.until(() => t.events.some((event) => event.name === 'answer.text'), 'text');
  return asked;
}

describe('an answer', () => {
  test('streams, is committed, counts as the server counted, and names model and host', async () => {
    const t = setUp();
    await withRemote(t, { kind: 'set', value: SECRET, store: false });
    await t.request('settings.update', { systemPrompt: 'Be brief.', temperature: 0.5, topP: 0.9, seed: 11, maxAnswerTokens: 77 });
    box.server.reply = (_, response) =>
      streamAnswer(response, ['Ber', 'lin ', '🐦'], { prompt_tokens: 12, completion_tokens: 5 });
    const message = await answerTo(t, 'Capital of Germany?');
    expect(message).toMatchObject({
      content: 'Berlin 🐦',
      status: 'complete',
      modelName: 'big-moe',
      remoteHost: box.server.host,
      stats: { promptTokens: 12, answerTokens: 5, contextUsedTokens: 17, contextTokens: null, droppedTurns: 0 },
    });
    const [{ method, url, headers, body }] = box.server.seen;
    expect([method, url, headers.authorization]).toEqual(['POST', '/v1/chat/completions', `Bearer ${SECRET}`]);
    expect(JSON.parse(body)).toEqual({
      model: 'big-moe',
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Capital of Germany?' },
      ],
      stream: true,
      stream_options: { include_usage: true },
      max_tokens: 77,
      temperature: 0.5,
      top_p: 0.9,
      seed: 11,
    });
    const started = t.events.find((event) => event.name === 'answer.started');
    expect(started?.payload).toMatchObject({ answerId: message.id, modelName: 'big-moe', remoteHost: box.server.host });
    const text = t.events.flatMap((event) => (event.name === 'answer.text' ? [event.payload.text] : [])).join('');
    expect(text).toBe('Berlin 🐦');
  });

  test('that is cut off at a limit of tokens says so', async () => {
    const t = setUp();
    await withRemote(t);
    box.server.reply = (_, response) => streamDeltas(response, [{ content: 'One, two' }], `${piece(null, 'length')}${DONE}`);
    expect(await answerTo(t, 'Count.')).toMatchObject({
      content: 'One, two',
      status: 'complete',
      error: { code: 'engine.answer-full', message: expect.stringContaining(box.server.host) },
    });
  });

  test('leaves to the server what the user has not set', async () => {
    const t = setUp();
    await withRemote(t);
    box.server.reply = (_, response) => streamAnswer(response, ['Yes.']);
    await answerTo(t, 'Sure?');
    const sent = JSON.parse(box.server.seen[0].body) as Record<string, unknown>;
    expect(Object.keys(sent).sort()).toEqual(['max_tokens', 'messages', 'model', 'stream', 'stream_options']);
  });

  test('takes the earlier turns along, and waits its turn in the queue', async () => {
    const t = setUp();
    await withRemote(t);
    box.server.reply = (_, response, body) =>
      streamAnswer(response, [`${(JSON.parse(body) as { messages: unknown[] }).messages.length}`]);
    const first = await t.ask('One');
    await t.ask('Other');
    await finishes(t, 2);
    await t.ask('Two', { conversationId: first.conversation.id, parentId: first.answer.id });
    await finishes(t, 3);
    expect(finishedEvents(t.events).map(({ content }) => content)).toEqual(['1', '1', '3']);
  });

  test('of a server that does not stream comes whole', async () => {
    const t = setUp();
    await withRemote(t);
    box.server.reply = (_, response) =>
      json(response, 200, { choices: [{ message: { role: 'assistant', content: 'All at once' }, finish_reason: 'stop' }] });
    expect(await answerTo(t)).toMatchObject({ content: 'All at once', status: 'complete' });
  });

  test.each<[string, object[], string]>([
    [
      'one name',
      [{ reasoning_content: 'Fra' }, { reasoning_content: 'nce.' }, { content: 'Par' }, { content: 'is.' }],
      'France.',
    ],
    ['another', [{ role: 'assistant', content: '' }, { reasoning: 'France.', content: null }, { content: 'Paris.' }], 'France.'],
    ['both, once', [{ reasoning_content: 'Hm', reasoning: 'Hm' }, { content: 'Paris.' }], 'Hm'],
    ['an empty one beside the other', [{ reasoning_content: '', reasoning: 'Hm' }, { content: 'Paris.' }], 'Hm'],
    ['one piece with the answer', [{ reasoning: 'Hm', content: 'Paris.' }], 'Hm'],
    [
      'empty lines around',
      [{ content: '\n' }, { reasoning: 'H' }, { content: '\n' }, { reasoning: 'm' }, { content: '\n\nParis.' }],
      'Hm',
    ],
    ['more behind the answer', [{ reasoning: 'Hm' }, { content: 'Par' }, { reasoning: 'or Rome' }, { content: 'is.' }], 'Hm'],
  ])('has the thoughts that a server sends apart before it: under %s', async (_what, deltas, thoughts) => {
    const t = setUp();
    await withRemote(t);
    box.server.reply = (_, response) => streamDeltas(response, deltas, `${piece(null, 'stop')}${DONE}`);
    const { content, status } = await answerTo(t);
    expect([splitThoughts(content), status]).toEqual([{ thoughts, answer: 'Paris.', isThinking: false }, 'complete']);
  });

  test.each<[string, object[], string]>([
    ['are not made up', [{ reasoning: null }, { reasoning_content: '', content: 'Paris.' }], 'Paris.'],
    ['alone are closed at the end', [{ reasoning: 'France, so' }], '<think>\nFrance, so\n</think>\n\n'],
    ['in the text stay as they are', [{ content: '<think>' }, { content: 'Hm</think>Paris.' }], '<think>Hm</think>Paris.'],
  ])('thoughts %s', async (_what, deltas, content) => {
    const t = setUp();
    await withRemote(t);
    box.server.reply = (_, response) => streamDeltas(response, deltas, piece(null, 'stop'));
    expect(await answerTo(t)).toMatchObject({ content, status: 'complete', error: null });
  });

  test('with its thoughts comes whole too, and only the answer is sent back in the next turn', async () => {
    const t = setUp();
    await withRemote(t);
    const message = { role: 'assistant', content: 'Paris.', reasoning_content: 'France.' };
    box.server.reply = (_, response) => json(response, 200, { choices: [{ message, finish_reason: 'stop' }] });
    const first = await t.ask('Capital?');
    await finishes(t);
    expect(finishedEvents(t.events)[0].content).toBe('<think>\nFrance.\n</think>\n\nParis.');
    await t.ask('Sure?', { conversationId: first.conversation.id, parentId: first.answer.id });
    await finishes(t, 2);
    const { messages } = JSON.parse(box.server.seen[1].body) as { messages: unknown };
    expect(messages).toEqual([
      { role: 'user', content: 'Capital?' },
      { role: 'assistant', content: 'Paris.' },
      { role: 'user', content: 'Sure?' },
    ]);
  });

  test('that does not end is stopped, thoughts and text counted together', async () => {
    const t = setUp();
    await withRemote(t);
    const many = 'x'.repeat(500_000);
    box.server.reply = (_, response) => {
      beginStream(response);
      for (let i = 0; i < 4; i++) response.write(pieceOf({ reasoning: many }));
      for (let i = 0; i < 5; i++) response.write(pieceOf({ content: many }));
    };
    const { content, error } = await answerTo(t);
    expect(error?.message).toContain('does not end: it was stopped at 4000000 characters');
    expect(content.length).toBe(7 * many.length + '<think>\n\n</think>\n\n'.length);
  });

  test('that breaks off in the thoughts keeps them', async () => {
    const t = setUp();
    await withRemote(t);
    box.server.reply = (_, response) => {
      beginStream(response);
      response.end(pieceOf({ reasoning_content: 'France, so' }));
    };
    expect(await answerTo(t)).toMatchObject({ content: '<think>\nFrance, so', status: 'failed', error: { code: 'remote.cut' } });
  });

  test('of a server that knows fewer parameters is asked for without them', async () => {
    const t = setUp();
    await withRemote(t);
    box.server.reply = (_, response, body) => {
      const asked = JSON.parse(body) as Record<string, unknown>;
      if ('stream_options' in asked)
        return json(response, 400, { error: { message: 'Unrecognized request argument: stream_options' } });
      if ('max_tokens' in asked) return json(response, 400, { error: "Use 'max_completion_tokens' instead." });
      streamAnswer(response, [String(asked.max_completion_tokens)]);
    };
    expect(await answerTo(t)).toMatchObject({ content: '4096', status: 'complete' });
  });

  test('is stopped: the text is kept, the request is ended, the next question is answered', async () => {
    const t = setUp();
    const { conversation, answer } = await halfAnswered(t);
    expect(box.server.closed()).toBe(0);
    await t.request('chat.stop', { answerId: answer.id });
    expect(await t.message(conversation.id, answer.id)).toMatchObject({ content: 'Half', status: 'stopped', error: null });
    await t.until(() => box.server.closed() === 1, 'the end of the request');
    box.server.reply = (_, response) => streamAnswer(response, ['next']);
    await t.ask('Again', { conversationId: conversation.id, parentId: answer.id });
    await finishes(t, 2);
    expect(finishedEvents(t.events)[1]).toMatchObject({ status: 'complete', content: 'next' });
  });

  test('that a crash cut is interrupted after the restart, with its text', async () => {
    const t = setUp();
    const { conversation, answer } = await halfAnswered(t);
    await end(t);
    const again = setUp();
    expect(await again.message(conversation.id, answer.id)).toMatchObject({ content: 'Half', status: 'interrupted' });
  });

  test('drops the oldest turns by estimate where the context is known, and says so', async () => {
    const t = setUp();
    await withRemote(t, undefined, 200);
    box.server.reply = (_, response) => streamAnswer(response, ['ok']);
    const first = await t.ask('x'.repeat(400));
    await finishes(t);
    const second = await t.ask('y'.repeat(300), { conversationId: first.conversation.id, parentId: first.answer.id });
    await finishes(t, 2);
    expect(await t.message(first.conversation.id, second.answer.id)).toMatchObject({
      status: 'complete',
      stats: { droppedTurns: 1, contextTokens: 200 },
    });
    const { messages, max_tokens } = JSON.parse(box.server.seen[1].body) as {
      messages: { content: string }[];
      max_tokens: number;
    };
    expect(messages.map(({ content }) => content[0])).toEqual(['y']);
    expect(max_tokens).toBe(200 - (300 / 4 + 4));
  });
});
