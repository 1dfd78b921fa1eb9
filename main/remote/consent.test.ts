import { describe, expect, test } from 'vitest';
import { collectionOf, writeDocument } from '../../tests/documents/support.ts';
import { streamAnswer } from '../../tests/fixtures-services/fake-openai.ts';
import { finishes, remoteBox } from '../../tests/fixtures-services/remote-box.ts';
import { finishedEvents, type TestServices } from '../../tests/fixtures-services/test-services.ts';
import { ConclaveError } from '../../gpu/errors.ts';
import type { OutgoingPassage } from '../contract/remote.ts';
import { Consents } from './consent.ts';

const box = remoteBox();
const { setUp, addServer } = box;

describe('documents', () => {
  const LEASE = '# Lease agreement\n\nThe tenant receives three keys. A lost key costs 85 euros.\n';
  const GARDEN = '# Garden\n\nApples may be picked by everybody in the house.\n';
  /** By this name the server is one of the local network, not of this computer. */
  const elsewhere = () => ({ lookup: async () => [{ address: '127.0.0.1', family: 4 }] });
  const named = () => box.server.origin.replace('127.0.0.1', 'box.local');
  const sentTexts = () => box.server.seen.map(({ body }) => body).join('\n');

  async function withDocuments(t: TestServices, address: string): Promise<string> {
    await t.services.start();
    const { id: serverId } = await addServer(t, { kind: 'none' }, address);
    const { id: modelId } = await t.request('remote.addModel', { serverId, name: 'big-moe', contextTokens: 4000 });
    await t.request('library.select', { modelId });
    const files = { 'lease.md': LEASE, 'garden.md': GARDEN };
    return collectionOf(
      t,
      Object.entries(files).map(([name, text]) => writeDocument(box.folder, name, text)),
    );
  }

  test('go to a server on this computer without a question; the answer is checked as everywhere', async () => {
    const t = setUp();
    const collectionId = await withDocuments(t, box.server.origin);
    box.server.reply = (_, response) => streamAnswer(response, ['A lost key costs ', '85 euros [1].', ' See [9].']);
    const { conversation, answer } = await t.ask('What does a lost key cost?', { collectionId });
    await finishes(t);
    const message = await t.message(conversation.id, answer.id);
    expect(message).toMatchObject({ status: 'complete', evidence: { verdict: 'supported', removedCitations: 1 } });
    expect(message.sources[0]).toMatchObject({ documentTitle: 'Lease agreement' });
    expect(sentTexts()).toContain('A lost key costs 85 euros.');
  });

  test('go anywhere else only after exactly their text was shown and allowed', async () => {
    const t = setUp(elsewhere());
    const collectionId = await withDocuments(t, named());
    box.server.reply = (_, response) => streamAnswer(response, ['85 euros [1].']);
    const { conversation, answer } = await t.ask('What does a lost key cost?', { collectionId });
    await finishes(t);
    const held = await t.message(conversation.id, answer.id);
    expect(held).toMatchObject({
      status: 'failed',
      content: '',
      sources: [],
      error: { code: 'remote.consent', details: { passages: 1 } },
    });
    expect(box.server.seen).toEqual([]);
    const review = await t.request('remote.review', { answerId: answer.id });
    expect(review.host).toBe(box.server.host.replace('127.0.0.1', 'box.local'));
    expect(review.passages).toEqual([
      { documentTitle: 'Lease agreement', page: null, text: expect.stringContaining('A lost key costs 85 euros.') as string },
    ]);

    await t.request('chat.regenerate', { answerId: answer.id }); // without consent nothing changes
    await finishes(t, 2);
    expect([finishedEvents(t.events)[1].error?.code, box.server.seen]).toEqual(['remote.consent', []]);

    await t.request('remote.consent', { answerId: answer.id });
    const { answer: second } = await t.request('chat.regenerate', { answerId: answer.id });
    await finishes(t, 3);
    expect(await t.message(conversation.id, second.id)).toMatchObject({ status: 'complete', evidence: { verdict: 'supported' } });
    expect(sentTexts()).toContain('A lost key costs 85 euros.');

    const follow = await t.ask('Who may pick apples?', { conversationId: conversation.id, parentId: second.id });
    await finishes(t, 4);
    expect(
      (await t.request('remote.review', { answerId: follow.answer.id })).passages.map(({ documentTitle }) => documentTitle),
    ).toEqual(['Garden']);
    expect(sentTexts()).not.toContain('Apples');
    await expect(t.request('remote.review', { answerId: answer.id })).rejects.toMatchObject({ code: 'message.missing' });
    await expect(t.request('remote.consent', { answerId: 'made-up' })).rejects.toMatchObject({ code: 'message.missing' });
  });

  test.each([
    ['', ''],
    [' whose thoughts are never sent', '<think>\nWhich key? The lost one.\n</think>\n\n'],
  ])(
    'an answer made of them here%s is asked for too before a server sees it; one it wrote itself is not',
    async (_, thoughts) => {
      const t = setUp(elsewhere());
      const collectionId = await withDocuments(t, named());
      const remoteId = (await t.request('app.state', {})).remote.servers[0].models[0].id;
      await t.withModel();
      await t.until(() =>
        t.events.some(
          (event) => event.name === 'engine.status' && event.payload.state === 'ready' && event.payload.modelId !== remoteId,
        ),
      );
      t.engine.contextTokens = 4000;
      t.engine.answer = `${thoughts}A lost key costs 85 euros [1].`;
      await t.request('settings.update', { contextTokens: 4000 });
      const first = await t.ask('What does a lost key cost?', { collectionId });
      await finishes(t);
      const conversationId = first.conversation.id;
      await t.request('documents.use', { conversationId, collectionId: null });
      await t.request('library.select', { modelId: remoteId });
      box.server.reply = (_, response) => streamAnswer(response, ['Fine.']);
      const second = await t.ask('Thanks!', { conversationId, parentId: first.answer.id });
      await finishes(t, 2);
      expect((await t.message(conversationId, second.answer.id)).error).toMatchObject({ code: 'remote.consent' });
      expect((await t.request('remote.review', { answerId: second.answer.id })).passages).toEqual([
        { documentTitle: 'An earlier answer from your documents', page: null, text: 'A lost key costs 85 euros [1].' },
      ]);
      await t.request('remote.consent', { answerId: second.answer.id });
      const third = await t.request('chat.regenerate', { answerId: second.answer.id });
      await finishes(t, 3);
      await t.ask('And again', { conversationId, parentId: third.answer.id });
      await finishes(t, 4);
      expect(
        finishedEvents(t.events)
          .slice(2)
          .map(({ status }) => status),
      ).toEqual(['complete', 'complete']);
      expect(sentTexts()).toContain('A lost key costs 85 euros [1].');
      expect(sentTexts()).not.toContain('think');
    },
  );

  test('that know nothing of the question: nobody is asked, and no host is named', async () => {
    const t = setUp(elsewhere());
    const collectionId = await withDocuments(t, named());
    const { conversation, answer } = await t.ask('Xylophone quintet?', { collectionId });
    await finishes(t);
    expect(await t.message(conversation.id, answer.id)).toMatchObject({
      status: 'complete',
      remoteHost: null,
      evidence: { verdict: 'absent' },
    });
    expect(box.server.seen).toEqual([]);
  });
});

const address = { host: 'llm.example.net', origin: 'https://llm.example.net', scope: 'public' } as const;
const passage: OutgoingPassage = { documentTitle: 'Lease', page: 7, text: 'The rent is due on the first.' };

/** Whether this may go without a question. */
function mayGo(consents: Consents, to: Parameters<Consents['check']>[0], passages: readonly OutgoingPassage[]): boolean {
  try {
    consents.check(to, 'later', passages);
    return true;
  } catch (error) {
    if (error instanceof ConclaveError && error.code === 'remote.consent') return false;
    throw error;
  }
}

function allowing(passages: readonly OutgoingPassage[]): Consents {
  const consents = new Consents();
  expect(() => consents.check(address, 'answer', passages)).toThrow(/would be sent to llm\.example\.net/);
  expect(consents.review('answer')).toEqual({ host: address.host, passages });
  consents.allow('answer');
  return consents;
}

test('what was allowed is that text of that place, to that origin', () => {
  const consents = allowing([passage]);
  expect(mayGo(consents, address, [passage])).toBe(true);
  for (const change of [{ text: 'The rent is due on the third.' }, { page: 8 }, { documentTitle: 'Diary' }])
    expect(mayGo(consents, address, [{ ...passage, ...change }]), JSON.stringify(change)).toBe(false);
  for (const origin of ['https://llm.example.net:8443', 'http://llm.example.net'])
    expect(mayGo(consents, { ...address, origin }, [passage]), origin).toBe(false);
});

test('only what is new is asked for', () => {
  const consents = allowing([passage]);
  const more = { ...passage, page: 8 };
  expect(mayGo(consents, address, [passage, more])).toBe(false);
  expect(consents.review('later').passages).toEqual([more]);
});
