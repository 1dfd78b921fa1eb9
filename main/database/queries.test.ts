import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  deleteConversation,
  getConversation,
  insertConversation,
  listConversations,
  renameConversation,
  setLeaf,
  touchConversation,
} from './conversations.ts';
import type { ReadDb, WriteDb } from './handles.ts';
import { finishMessage, getMessage, insertMessage, listMessages, listPath, listUnfinished, newestLeafBelow } from './messages.ts';
import { nextQueued, readDocumentText } from './documents.ts';
import { searchChunks } from './passages.ts';
import { deleteModel, getModelByPath, listModels, saveModel, type ModelRecord } from './models.ts';
import { searchConversations } from './search.ts';
import { readSettings, writeSetting } from './settings.ts';
import { aMessage, openTestDatabase } from './test-database.ts';
import { temporaryFolder } from '../../tests/fixtures-services/temporary-folder.ts';

let folder: ReturnType<typeof temporaryFolder>;
let db: WriteDb;
let close: () => void;
beforeEach(() => {
  folder = temporaryFolder();
  ({ db, close } = openTestDatabase(folder.path));
});
afterEach(() => {
  close();
  folder.remove();
});

function conversation(id: string, title: string, updatedAtMs: number): void {
  insertConversation(db, { id, title, createdAtMs: 1, updatedAtMs });
}

/** q1 → a1, a2 (versions); a1 → q2 → a3. */
function tree(): void {
  conversation('c', 'Tree', 1);
  const add = (id: string, parentId: string | null) =>
    insertMessage(db, aMessage({ id, conversationId: 'c', parentId, content: id }));
  add('q1', null);
  add('a1', 'q1');
  add('a2', 'q1');
  add('q2', 'a1');
  add('a3', 'q2');
}

test('conversations: newest first, continued by time, renamed, moved up, deleted with their messages', () => {
  conversation('old', 'Old', 10);
  conversation('new', 'New', 20);
  expect(listConversations(db, 9, null).map((c) => c.id)).toEqual(['new', 'old']);
  expect(listConversations(db, 9, 20).map((c) => c.id)).toEqual(['old']);
  expect(listConversations(db, 1, null).map((c) => c.id)).toEqual(['new']);
  renameConversation(db, 'old', 'Renamed');
  touchConversation(db, 'old', 30);
  touchConversation(db, 'old', 5);
  expect(listConversations(db, 1, null)).toEqual([{ id: 'old', title: 'Renamed', createdAtMs: 1, updatedAtMs: 30 }]);
  insertMessage(db, aMessage({ id: 'm', conversationId: 'old', content: 'walnut' }));
  setLeaf(db, 'old', 'm');
  expect(getConversation(db, 'old')?.leafId).toBe('m');
  deleteConversation(db, 'old');
  expect(getMessage(db, 'm')).toBeNull();
  expect(searchConversations(db, 'walnut', 9, null)).toEqual([]);
  db.run(`INSERT INTO messages_search (messages_search, rank) VALUES ('integrity-check', 1)`);
});

test('messages: tree, path to the root, newest leaf below', () => {
  tree();
  expect(listMessages(db, 'c').map((m) => m.id)).toEqual(['q1', 'a1', 'a2', 'q2', 'a3']);
  expect(listPath(db, 'a3').map((m) => m.id)).toEqual(['q1', 'a1', 'q2', 'a3']);
  expect(listPath(db, 'a2').map((m) => m.id)).toEqual(['q1', 'a2']);
  expect(newestLeafBelow(db, 'q1')).toBe('a2');
  expect(newestLeafBelow(db, 'a1')).toBe('a3');
  expect(newestLeafBelow(db, 'a3')).toBe('a3');
});

test('a finished message keeps statistics and error', () => {
  conversation('c', 'C', 1);
  insertMessage(db, aMessage({ id: 'a', conversationId: 'c', role: 'assistant', status: 'streaming' }));
  expect(listUnfinished(db, 'c')).toEqual(['a']);
  const stats = {
    promptTokens: 1,
    answerTokens: 2,
    prefillMs: 3,
    decodeMs: 4,
    contextUsedTokens: 5,
    contextTokens: 6,
    droppedTurns: 7,
  };
  const error = { code: 'gpu.device-lost', message: 'gone', details: { reason: 'x' } } as const;
  finishMessage(db, 'a', { content: 'text', status: 'failed', stats, error, evidence: null });
  expect(getMessage(db, 'a')).toMatchObject({ content: 'text', status: 'failed', stats, error });
  expect(listUnfinished(db, 'c')).toEqual([]);
});

test('the tables refuse what the types do not allow', () => {
  conversation('c', 'C', 1);
  const insert = (given: object) => () => insertMessage(db, { ...aMessage({ id: 'm', conversationId: 'c' }), ...given });
  expect(insert({ role: 'wizard' })).toThrow('CHECK');
  expect(insert({ status: 'lost' })).toThrow('CHECK');
  expect(insert({ conversationId: 'none' })).toThrow('FOREIGN KEY');
  expect(insert({ createdAtMs: 'noon' })).toThrow('INTEGER');
});

test('search: all words, in one message or the title, in any script, also short words and odd characters', () => {
  conversation('a', 'Größe der Welt', 1);
  conversation('b', 'Untitled', 2);
  insertMessage(db, aMessage({ id: 'm1', conversationId: 'b', content: '東京都庁 is "tall" — 100% true_ish' }));
  insertMessage(db, aMessage({ id: 'm2', conversationId: 'b', content: 'a second message about lighthouses' }));
  const find = (query: string) => searchConversations(db, query, 9, null).map((found) => found.id);
  expect(find('GRÖSSE')).toEqual([]);
  expect(find('größ')).toEqual(['a']);
  expect(find('welt größe')).toEqual(['a']);
  expect(find('東京')).toEqual(['b']);
  expect(find('東京都')).toEqual(['b']);
  expect(find('"tall"')).toEqual(['b']);
  expect(find('100% is')).toEqual(['b']);
  expect(find('tall lighthouses')).toEqual([]);
  expect(find('light-house')).toEqual([]);
  expect(find('NOT')).toEqual([]);
  expect(find('   ')).toEqual([]);
  renameConversation(db, 'a', 'Another name');
  expect(find('größe')).toEqual([]);
  expect(find('another')).toEqual(['a']);
});

test('thoughts are not searched, what stands behind them is', () => {
  const thoughts = 'They mean Walnuts, or ahem plums';
  const texts = {
    answered: `\n <think>\n${thoughts}\n</think>\n\nÄpfel and a Pear`,
    longer: `<thinking>${thoughts}</thinking>Quinces`,
    unfinished: `<think>\n${thoughts}`,
    spoken: `<thinker> ${thoughts} </think> Cherries`,
  };
  for (const [id, content] of Object.entries(texts)) {
    conversation(id, 'Fruit', 1);
    insertMessage(db, aMessage({ id, conversationId: id, role: 'assistant', content }));
  }
  conversation('asked', 'Fruit', 1);
  insertMessage(db, aMessage({ id: 'asked', conversationId: 'asked', content: `<think>walnuts</think>` }));
  const find = (query: string) => searchConversations(db, query, 9, null).map((found) => found.id);
  expect(find('walnuts')).toEqual(['asked', 'spoken']);
  expect(find('think')).toEqual(['asked', 'spoken']);
  expect(find('ah')).toEqual(['spoken']);
  expect(find('pear')).toEqual(['answered']);
  expect(find('äpfel ea')).toEqual(['answered']);
  expect(find('pear walnuts')).toEqual([]);
  expect(find('QUINCE')).toEqual(['longer']);
});

test('models: saved, found by path, replaced under their id, deleted', () => {
  const model: ModelRecord = {
    id: 'm',
    name: 'Model',
    path: '/models/m.gguf',
    parts: [{ path: '/models/m.gguf', sizeBytes: 5, modifiedAtMs: 1.5 }],
    sizeBytes: 5,
    facts: null,
    problem: { code: 'model.architecture', message: 'strange', details: {} },
    builtIn: false,
    owned: true,
    addedAtMs: 1,
  };
  saveModel(db, model);
  expect(getModelByPath(db, '/models/m.gguf')).toEqual(model);
  saveModel(db, { ...model, name: 'Renamed', problem: null });
  expect(listModels(db)).toEqual([{ ...model, name: 'Renamed', problem: null }]);
  expect(() => saveModel(db, { ...model, id: 'other' })).toThrow('UNIQUE');
  deleteModel(db, 'm');
  expect(listModels(db)).toEqual([]);
});

test('settings: any JSON value, the last one counts', () => {
  writeSetting(db, 'theme', 'dark', 1);
  writeSetting(db, 'theme', null, 2);
  writeSetting(db, 'seed', 7, 3);
  expect(readSettings(db)).toEqual(
    new Map<string, unknown>([
      ['theme', null],
      ['seed', 7],
    ]),
  );
});

/** Runs `query` against a handle that asks SQLite how it would do it instead of doing it. */
function planOf(query: (spy: ReadDb) => unknown): string {
  const plans: string[] = [];
  const explain = (sql: string, ...parameters: (string | number | null)[]) => {
    const rows = db.all<{ detail: string }>(`EXPLAIN QUERY PLAN ${sql}`, ...parameters);
    plans.push(...rows.map((row) => row.detail));
    return [];
  };
  const spy = { get: explain, all: explain, run: explain } as unknown as ReadDb;
  try {
    query(spy);
  } catch (error) {
    if (plans.length === 0) throw error; // a query function may stumble over the empty answer, after its plan is known
  }
  return plans.join('\n');
}

test('hot queries go through their index and sort nothing', () => {
  const list = planOf((spy) => listConversations(spy, 50, null));
  expect(list).toContain('USING INDEX conversations_by_time');
  expect(list).not.toContain('TEMP B-TREE');
  const messages = planOf((spy) => listMessages(spy, 'c'));
  expect(messages).toContain('USING INDEX messages_by_conversation');
  expect(messages).not.toContain('TEMP B-TREE');
  expect(planOf((spy) => getMessage(spy, 'm'))).toMatch(/SEARCH messages USING INDEX sqlite_autoindex_messages/);
  expect(
    planOf((spy) =>
      finishMessage(spy as WriteDb, 'm', { content: '', status: 'complete', stats: null, error: null, evidence: null }),
    ),
  ).toMatch(/SEARCH messages USING INDEX sqlite_autoindex_messages/);
  const path = planOf((spy) => listPath(spy, 'm'));
  expect(path).not.toMatch(/SCAN messages/);
  expect(planOf((spy) => newestLeafBelow(spy, 'm'))).toContain('USING INDEX messages_by_parent');
  const passages = planOf((spy) => searchChunks(spy, 'c', '"word"', 40));
  expect(passages).toMatch(/SCAN chunks_search VIRTUAL TABLE INDEX \d+:M/);
  expect(passages).not.toMatch(/SCAN (chunks|documents|document_versions)\b(?!_)/);
  expect(planOf((spy) => nextQueued(spy))).toMatch(/SCAN documents USING INDEX documents_waiting/);
  expect(planOf((spy) => readDocumentText(spy, 'd'))).toContain('USING INDEX document_versions_current');
  const search = planOf((spy) => searchConversations(spy, 'word', 50, null));
  expect(search).toMatch(/SCAN messages_search VIRTUAL TABLE INDEX 0:M/);
  expect(search).not.toMatch(/SCAN messages\b(?!_)/);
});
