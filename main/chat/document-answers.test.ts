import { afterEach, beforeEach, expect, test } from 'vitest';
import { collectionOf, writeDocument } from '../../tests/documents/support.ts';
import { temporaryFolder } from '../../tests/fixtures-services/temporary-folder.ts';
import { finishedEvents, testServices, type TestServices } from '../../tests/fixtures-services/test-services.ts';
import { ABSENT_ANSWER, DOCUMENT_SYSTEM_PROMPT } from './document-prompt.ts';

const LEASE = `# Lease agreement

The deposit is two months' rent. It is paid back within 30 days of the end of the lease.

# Keys

The tenant receives three keys. A lost key costs 85 euros.
`;
const GARDEN = 'The garden belongs to the ground floor. Apples may be picked by everybody in the house.\n';

let folder: ReturnType<typeof temporaryFolder>;
let t: TestServices;
let collectionId: string;
beforeEach(async () => {
  folder = temporaryFolder();
  t = testServices(folder.path);
  t.engine.contextTokens = 4000;
  await t.services.start();
  await t.withModel();
  await t.until(() => t.events.some((event) => event.name === 'engine.status' && event.payload.state === 'ready'), 'ready');
  collectionId = await collectionOf(t, [
    writeDocument(folder.path, 'lease.md', LEASE),
    writeDocument(folder.path, 'garden.txt', GARDEN),
  ]);
});
afterEach(async () => {
  await Promise.all([t.services.close(), t.clock.advance(10_000)]);
  folder.remove();
});

const finishes = (n = 1) => t.until(() => finishedEvents(t.events).length >= n, `answer ${n}`);

test('the passages are committed and told before the first word, and stand in the prompt; the answer is checked against them', async () => {
  t.engine.answer = 'A lost key costs 85 euros [1]. The keys are green [9].';
  let sourcesBefore = -1;
  t.engine.onGenerate = () => (sourcesBefore = t.events.filter(({ name }) => name === 'answer.sources').length);
  const { conversation, answer } = await t.ask('What does a lost key cost?', { collectionId });
  await finishes();
  expect(sourcesBefore).toBe(1);
  expect(t.engine.prompts[0]).toContain(
    `<system>${DOCUMENT_SYSTEM_PROMPT}<user>[1] Lease agreement\n# Keys\nThe tenant receives`,
  );
  expect(t.engine.prompts[0]).toMatch(/Question: What does a lost key cost\?<assistant>$/);
  const message = await t.message(conversation.id, answer.id);
  expect(message.content).toBe('A lost key costs 85 euros [1]. The keys are green.');
  expect(message.sources[0]).toMatchObject({ documentTitle: 'Lease agreement', heading: 'Keys' });
  expect(message.evidence).toMatchObject({
    verdict: 'supported',
    quote: { passage: 1, text: 'A lost key costs 85 euros.', page: null },
    removedCitations: 1,
    unsupportedSentences: [{ start: 31, end: 50 }],
  });
  const quote = message.evidence!.quote!;
  const { text } = await t.request('documents.text', { documentId: message.sources[0].documentId });
  expect(text.slice(quote.start, quote.end)).toBe('A lost key costs 85 euros.');
  expect(finishedEvents(t.events)[0]).toMatchObject({ content: message.content, evidence: message.evidence });
  const told = t.events.flatMap((event) => (event.name === 'answer.sources' ? [event.payload.sources] : []));
  expect(told).toEqual([message.sources]);
});

test.each([
  ['<think>\nThe garden has 7 trees [8]. Not there?\n</think>\n\n', 'A lost key costs 85 euros [1]. The keys are green [9].'],
  ['<think>That is not in your documents.</think>', '[7] A lost key costs 85 euros [1]. The keys are green [9].'],
])('thoughts are kept as they are and count for nothing: %j', async (thoughts, answer) => {
  t.engine.answer = thoughts + answer;
  const asked = await t.ask('What does a lost key cost?', { collectionId });
  await finishes();
  const message = await t.message(asked.conversation.id, asked.answer.id);
  const shown = 'A lost key costs 85 euros [1]. The keys are green.';
  expect(message.content).toBe(thoughts + shown);
  expect(message.evidence).toMatchObject({ verdict: 'supported', quote: { text: 'A lost key costs 85 euros.' } });
  const { removedCitations, unsupportedSentences } = message.evidence!;
  expect(removedCitations).toBe(answer.split(/\[[79]\]/).length - 1);
  expect(unsupportedSentences.map(({ start, end }) => shown.slice(start, end))).toEqual(['The keys are green.']);
});

test('an answer that was stopped in its thoughts has passages and no verdict', async () => {
  t.engine.answer = '<think>\nA lost key costs 85 euros [1].';
  const { conversation, answer } = await t.ask('What does a lost key cost?', { collectionId });
  await finishes();
  const { sources, evidence } = await t.message(conversation.id, answer.id);
  expect([sources.length > 0, evidence]).toEqual([true, null]);
});

test('a question that the documents know nothing of is answered without the model', async () => {
  const { conversation, answer } = await t.ask('Xylophone quintet?', { collectionId });
  await finishes();
  expect(t.engine.calls).not.toContain('generate');
  expect(await t.message(conversation.id, answer.id)).toMatchObject({
    content: ABSENT_ANSWER,
    status: 'complete',
    sources: [],
    evidence: { verdict: 'absent', quote: null },
  });
});

test('a model that says so against a passage that holds the answer is contradicted by the quote', async () => {
  t.engine.answer = ABSENT_ANSWER;
  const known = await t.ask('When is the deposit paid back after the lease ends?', { collectionId });
  const unknown = await t.ask('Is the garden open to dogs on Sundays?', { collectionId });
  await finishes(2);
  expect((await t.message(known.conversation.id, known.answer.id)).evidence).toMatchObject({
    verdict: 'unsupported',
    quote: { text: 'It is paid back within 30 days of the end of the lease.' },
  });
  expect((await t.message(unknown.conversation.id, unknown.answer.id)).evidence).toMatchObject({
    verdict: 'absent',
    quote: null,
  });
});

test('a short follow-up is looked up with the question before; old citations are not in the prompt; other turns are plain', async () => {
  t.engine.answer = 'Two months of rent [1].';
  const first = await t.ask('How high is the deposit for the flat?', { collectionId });
  await finishes();
  const conversationId = first.conversation.id;
  const second = await t.ask('And when is it back?', { conversationId, parentId: first.answer.id });
  await finishes(2);
  expect(t.engine.prompts[1]).toContain('<assistant>Two months of rent.<user>[1] Lease agreement\n');
  expect((await t.message(conversationId, second.answer.id)).sources[0].text).toContain('30 days');
  await t.request('documents.use', { conversationId, collectionId: null });
  await t.ask('Thanks!', { conversationId, parentId: second.answer.id });
  await finishes(3);
  expect(t.engine.prompts[2]).toMatch(/<user>Thanks!<assistant>$/);
  expect((await t.request('conversations.get', { conversationId })).collectionId).toBeNull();
  await expect(t.request('documents.use', { conversationId, collectionId: 'none' })).rejects.toMatchObject({
    code: 'collection.missing',
  });
});
