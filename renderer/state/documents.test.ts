import { beforeEach, describe, expect, it } from 'vitest';
import { Announcer } from './announcer.ts';
import { Chat } from './chat.ts';
import { ManualClock } from './clock.ts';
import { Adding } from './documents-adding.ts';
import { CollectionChoice } from './documents-choice.ts';
import { Dropping } from './documents-dropping.ts';
import { DocumentSearch } from './documents-search.ts';
import { DocumentViewer } from './documents-viewer.ts';
import { Documents } from './documents.ts';
import { FakeClient } from './fake-client.ts';
import { PASSAGES } from './fake-documents-data.ts';
import { Notices } from './notices.ts';

let clock: ManualClock;
let client: FakeClient;
let notices: Notices;
let announcer: Announcer;
let documents: Documents;
let adding: Adding;
let choice: CollectionChoice;

beforeEach(async () => {
  clock = new ManualClock(1_700_000_000_000);
  client = new FakeClient(clock, 'documents');
  notices = new Notices(clock);
  announcer = new Announcer(clock);
  documents = new Documents(client, clock, notices, announcer);
  adding = new Adding(client, documents, announcer);
  choice = new CollectionChoice(client, notices);
  void documents.load();
  await clock.advance(5);
});

const names = () => documents.value.collections.map(({ name }) => name);
const titles = () => documents.value.documents.map(({ title }) => title);
const asked = (channel: string) => client.log.filter((entry) => entry.channel === channel).map(({ request }) => request);
const file = (name: string, sizeBytes = 10) => new File(['x'.repeat(sizeBytes)], name);

describe('collections', () => {
  it('are listed by name, made and renamed', async () => {
    expect(names()).toEqual(['Minutes of the housing association', 'Recipes', 'The flat in Kastanjegatan']);
    const made = documents.create('  Tax   2024 ');
    await clock.advance(5);
    expect((await made)?.name).toBe('Tax 2024');
    void documents.rename('empty', 'Cooking');
    expect(names()).toContain('Cooking'); // at once
    await clock.advance(5);
    expect(names()).toEqual(['Cooking', 'Minutes of the housing association', 'Tax 2024', 'The flat in Kastanjegatan']);
  });

  it('never share a name', () => {
    expect(documents.freeName('recipes')).toBe('recipes 2');
    expect(documents.freeName('  ')).toBe('Documents');
    expect(documents.freeName('Letters')).toBe('Letters');
  });

  it('are deleted with a way back, and for good when that time is over', async () => {
    documents.open('lease');
    documents.delete('lease');
    expect(names()).not.toContain('The flat in Kastanjegatan');
    expect(documents.value.openId).toBeNull();
    notices.value[0].action?.run();
    expect(names()).toContain('The flat in Kastanjegatan');
    documents.delete('lease');
    await clock.advance(9000);
    expect(asked('documents.deleteCollection')).toEqual([{ collectionId: 'lease' }]);
    expect(names()).not.toContain('The flat in Kastanjegatan');
  });

  it('that wait for their deletion are deleted when the page goes', async () => {
    documents.delete('empty');
    documents.flushDeletions();
    await clock.advance(5);
    expect(asked('documents.deleteCollection')).toEqual([{ collectionId: 'empty' }]);
  });
});

describe('the open collection', () => {
  it('lists its documents by title, numbers as numbers', async () => {
    documents.open('many');
    await clock.advance(5);
    expect(documents.value.listPhase).toBe('ready');
    expect(titles().slice(0, 3)).toEqual([1, 2, 3].map((at) => `Minutes of the ${at}th meeting.pdf`));
  });

  it('forgets a list that comes after another collection was opened', async () => {
    documents.open('many');
    documents.open('lease');
    await clock.advance(5);
    expect(titles()).toContain('House rules.md');
    expect(titles()).toHaveLength(6);
  });

  it('follows the reading, says how far, and announces the end', async () => {
    documents.open('empty');
    await clock.advance(5);
    const added = adding.paths('empty', ['/a/Report.pdf', '/a/damaged.pdf', '/a/Picture.jpg']);
    await clock.advance(5);
    expect(await added).toBe(2);
    expect(adding.value.refused.map(({ name }) => name)).toEqual(['Picture.jpg']);
    expect(announcer.value).toBe('2 documents were added. 1 file was not taken.');
    expect(documents.value.batches.get('empty')).toBe(2);
    await clock.advance(200);
    const reading = documents.value.documents.find(({ status }) => status === 'reading')!;
    expect(documents.value.progress.get(reading.id)?.total).toBe(30);
    await clock.advance(3000);
    expect(documents.value.documents.map(({ title, status }) => [title, status])).toEqual([
      ['damaged.pdf', 'failed'],
      ['Report.pdf', 'ready'],
    ]);
    expect(documents.value.progress.size).toBe(0);
    expect(documents.value.batches.size).toBe(0);
    expect(announcer.value).toBe('Recipes: reading has ended. 1 document could not be read.');
  });

  it('is drawn at most once a frame however many events come', async () => {
    documents.open('empty');
    await clock.advance(5);
    const paths = Array.from({ length: 300 }, (_, at) => `/a/${at}.pdf`);
    void adding.paths('empty', paths);
    await clock.advance(5);
    let changes = 0;
    let drawn = documents.value.documents;
    documents.subscribe(() => {
      if (documents.value.documents !== drawn) changes++;
      drawn = documents.value.documents;
    });
    await clock.advance(1600);
    expect(documents.value.documents.filter(({ status }) => status === 'ready').length).toBeGreaterThan(1);
    expect(changes).toBeLessThanOrEqual(100);
  });

  it('reads a failed document again, or all of them', async () => {
    documents.open('lease');
    await clock.advance(5);
    void documents.retryFailed();
    await clock.advance(2000);
    expect(asked('documents.retry')).toEqual([{ documentId: 'd-scan' }]);
    expect(documents.value.documents.find(({ id }) => id === 'd-scan')?.status).toBe('ready');
  });

  it('removes a document with a way back', async () => {
    documents.open('lease');
    await clock.advance(5);
    documents.remove('d-rules');
    expect(titles()).not.toContain('House rules.md');
    notices.value[0].action?.run();
    await clock.advance(20);
    expect(titles()).toContain('House rules.md');
    documents.remove('d-rules');
    await clock.advance(9000);
    expect(asked('documents.remove')).toEqual([{ documentId: 'd-rules' }]);
  });

  it('drops what waits when that is cancelled', async () => {
    documents.open('empty');
    await clock.advance(5);
    void adding.paths('empty', ['/a/1.pdf', '/a/2.pdf', '/a/3.pdf']);
    await clock.advance(100);
    void documents.cancel('empty');
    await clock.advance(2000);
    expect(titles()).toEqual(['1.pdf']);
  });
});

describe('adding files', () => {
  it('copies one after the other with progress, and can be cancelled between', async () => {
    const copying = new FakeClient(clock, 'empty'); // a host that copies
    const there = new Documents(copying, clock, notices, announcer);
    const slow = new Adding(copying, there, announcer);
    const made = there.create('Files');
    await clock.advance(5);
    const collection = (await made)!;
    const done = slow.files(collection.id, [file('a.md'), file('b.md'), file('c.md')]);
    await clock.advance(400);
    expect(slow.value.copying).toMatchObject({ name: 'a.md', at: 1, of: 3 });
    expect(slow.value.copying!.share).toBeGreaterThan(0);
    slow.cancel();
    await clock.advance(5000);
    expect(await done).toBe(1); // what was copied is taken
    expect(slow.busy).toBe(false);
  });

  it('says which file could not be copied, and takes the others', async () => {
    const ask = client.pathOfDroppedFile.bind(client);
    client.pathOfDroppedFile = (given) => (given.name === 'b.md' ? Promise.reject(new Error('The disk is full.')) : ask(given));
    const done = adding.files('empty', [file('a.md'), file('b.md'), file('c.md')]);
    await clock.advance(50);
    expect(await done).toBe(2);
    expect(adding.value.refused.map(({ name, error }) => [name, error.message])).toEqual([['b.md', 'The disk is full.']]);
  });

  it('gives a host no more paths at once than it takes', async () => {
    client.pathOfDroppedFile = (given) => Promise.resolve(`/a/${given.name}`);
    const done = adding.files(
      'empty',
      Array.from({ length: 5001 }, (_, at) => file(`${at}.jpg`)),
    );
    while (adding.busy) await clock.advance(10);
    expect(await done).toBe(0);
    expect(asked('documents.add').map((request) => (request as { paths: string[] }).paths.length)).toEqual([5000, 1]);
  });
});

describe('search', () => {
  it('waits for the last letter, shows passages, and keeps only the newest', async () => {
    const search = new DocumentSearch(client, clock, announcer);
    search.search('lease', 'dep');
    await clock.advance(50);
    search.search('lease', 'deposit');
    await clock.advance(500);
    expect(asked('documents.search')).toEqual([{ collectionId: 'lease', query: 'deposit', limit: 30 }]);
    expect(search.value.passages.length).toBe(2);
    search.search('lease', 'broken');
    await clock.advance(500);
    expect(search.value).toMatchObject({ phase: 'failed', error: { code: 'data.damaged' } });
    search.search('lease', ' ');
    expect(search.value.phase).toBe('idle');
  });
});

describe('the viewer', () => {
  it('opens a passage with its quote, and another of the same document without reading it again', async () => {
    const viewer = new DocumentViewer(client);
    const [first, second] = PASSAGES;
    const quote = { passage: 2, text: 'x', start: second.start, end: second.start + 5, page: 2 };
    const evidence = { verdict: 'supported' as const, quote, removedCitations: 0, unsupportedSentences: [] };
    void viewer.openPassage(first, evidence, 1);
    expect(viewer.value).toMatchObject({ phase: 'loading', target: { quote: null } });
    await clock.advance(5);
    expect(viewer.value.phase).toBe('ready');
    void viewer.openPassage(second, evidence, 2);
    expect(viewer.value).toMatchObject({ phase: 'ready', target: { quote: { start: quote.start, end: quote.end } } });
    expect(asked('documents.text')).toHaveLength(1);
  });

  it('stays closed when it was closed while the text was on its way, and says what is gone', async () => {
    const viewer = new DocumentViewer(client);
    void viewer.openPassage(PASSAGES[0]);
    viewer.close();
    await clock.advance(5);
    expect(viewer.value.phase).toBe('closed');
    void viewer.open({ documentId: 'gone', title: 'Gone', passage: null, quote: null });
    await clock.advance(5);
    expect(viewer.value).toMatchObject({ phase: 'failed', error: { code: 'document.missing' } });
  });
});

describe('the collection of a conversation', () => {
  it('goes along with the first question and stays with that conversation', async () => {
    const chat = new Chat(client, clock, notices, announcer, choice);
    void choice.choose(null, 'lease');
    void chat.send('How high is the deposit?');
    await clock.advance(20);
    expect(asked('chat.send')).toMatchObject([{ conversationId: null, collectionId: 'lease' }]);
    const id = chat.value.conversationId!;
    expect([choice.of(id), choice.of(null)]).toEqual(['lease', null]);
    await clock.advance(5000);
    const answer = chat.value.branch[1].message;
    expect(answer.sources).toHaveLength(4);
    expect(answer.evidence?.verdict).toBe('supported');
    chat.newChat();
    void chat.open(id);
    await clock.advance(5);
    expect(choice.of(id)).toBe('lease');
  });

  it('shows the passages before the first word', async () => {
    const chat = new Chat(client, clock, notices, announcer, choice);
    void choice.choose(null, 'lease');
    void chat.send('How high is the deposit?');
    await clock.advance(60);
    const answer = chat.value.branch[1].message;
    expect([answer.content, answer.sources.length, answer.evidence]).toEqual(['', 4, null]);
  });

  it('keeps passages that are told before the reply to the question', async () => {
    const chat = new Chat(client, clock, notices, announcer, choice);
    const request = client.request.bind(client);
    client.request = async (channel, payload) => {
      const reply = await request(channel, payload);
      if (channel === 'chat.send') await new Promise<void>((resolve) => clock.after(50, resolve)); // the events go ahead
      return reply;
    };
    void choice.choose(null, 'lease');
    void chat.send('How high is the deposit?');
    await clock.advance(100);
    expect(chat.value.branch[1].message.sources).toHaveLength(4);
  });

  it('is none when the collection was deleted, and is back when that is taken back', async () => {
    choice.exists = (id) => documents.collection(id) !== null;
    void choice.choose(null, 'lease');
    documents.delete('lease');
    expect(choice.of(null)).toBeNull();
    notices.value[0].action?.run();
    expect(choice.of(null)).toBe('lease');
  });

  it('is told to the host, and taken back when that refuses', async () => {
    void choice.choose('c-0', 'lease');
    await clock.advance(5);
    expect(asked('documents.use')).toEqual([{ conversationId: 'c-0', collectionId: 'lease' }]);
    client.request = () => Promise.reject(new Error('no'));
    await choice.choose('c-0', null);
    expect(choice.of('c-0')).toBe('lease');
    expect(notices.value.at(-1)?.tone).toBe('error');
  });
});

describe('dropping', () => {
  const place = { screen: 'chat' as const, conversationId: null, dropGivesPath: true };

  it('on a chat without documents makes a collection that the conversation asks', async () => {
    const dropping = new Dropping(documents, adding, choice, notices);
    void dropping.drop({ files: [file('Lease 2025.pdf'), file('b.md')], entries: [null, null] }, place);
    await clock.advance(20);
    expect(names()).toContain('Lease 2025 and 1 more');
    expect(choice.of(null)).not.toBeNull();
    expect(asked('documents.add')).toEqual([
      { collectionId: choice.of(null), paths: ['/dropped/Lease 2025.pdf', '/dropped/b.md'] },
    ]);
  });

  it('goes into the collection in view', async () => {
    const dropping = new Dropping(documents, adding, choice, notices);
    documents.open('empty');
    expect(dropping.target({ ...place, screen: 'documents' })).toBe('empty');
    expect(dropping.target(place)).toBeNull();
    void choice.choose(null, 'lease');
    expect(dropping.target(place)).toBe('lease');
    void dropping.drop({ files: [file('a.md')], entries: [null] }, { ...place, screen: 'documents' });
    await clock.advance(20);
    expect(asked('documents.add')).toMatchObject([{ collectionId: 'empty' }]);
    expect(asked('documents.createCollection')).toEqual([]);
  });
});
