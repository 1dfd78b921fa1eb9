/** Writes a corpus to disk, reads it into a database as the worker would (in this process), and asks its questions. */
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Passage } from '../../main/contract/documents.ts';
import { openBetterSqlite3 } from '../../main/database/better-sqlite3.ts';
import { insertCollection } from '../../main/database/collections.ts';
import { insertDocument } from '../../main/database/documents.ts';
import type { WriteDb } from '../../main/database/handles.ts';
import { openDatabase } from '../../main/database/open.ts';
import type { ChunkSizes } from '../../main/documents/chunks.ts';
import { indexDocument } from '../../main/documents/index-document.ts';
import { Bm25Retriever } from '../../main/documents/retriever.ts';
import type { Corpus, CorpusQuestion } from './corpus.ts';

export interface IndexedCorpus {
  readonly db: WriteDb;
  readonly collectionId: string;
  readonly retriever: Bm25Retriever;
  readonly elapsedMs: number;
  /** Processor time of this process meanwhile. */
  readonly cpuMs: number;
  readonly bytes: number;
  close(): void;
}

export async function indexCorpus(folder: string, { documents }: Corpus, sizes?: ChunkSizes): Promise<IndexedCorpus> {
  mkdirSync(folder, { recursive: true });
  const { db, close } = openDatabase(path.join(folder, 'corpus.sqlite'), openBetterSqlite3);
  const collectionId = 'corpus';
  insertCollection(db, { id: collectionId, name: 'Corpus', createdAtMs: 0 });
  let bytes = 0;
  for (const { name, text } of documents) {
    const file = path.join(folder, name);
    writeFileSync(file, text);
    bytes += statSync(file).size;
    const nothingYet = { pages: null, chunks: 0, status: 'queued', error: null, addedAtMs: 0, modifiedAtMs: 0 } as const;
    insertDocument(db, {
      ...nothingYet,
      id: name,
      collectionId,
      title: name,
      path: file,
      kind: 'markdown',
      sizeBytes: text.length,
    });
  }
  const startMs = performance.now();
  const startCpu = process.cpuUsage();
  for (const { name } of documents)
    await indexDocument(db, { id: name, path: path.join(folder, name), kind: 'markdown' }, () => undefined, sizes);
  const elapsedMs = performance.now() - startMs;
  const { user, system } = process.cpuUsage(startCpu);
  return { db, collectionId, retriever: new Bm25Retriever(db), elapsedMs, cpuMs: (user + system) / 1000, bytes, close };
}

/** Whether one of the passages holds the sentence that answers. */
export function isFound({ document, sentence }: CorpusQuestion, passages: readonly Passage[]): boolean {
  return passages.some(({ documentId, text }) => documentId === document && text.includes(sentence));
}

export function recall(
  corpus: IndexedCorpus,
  questions: readonly CorpusQuestion[],
  kind: 'direct' | 'paraphrase',
  atMost: number,
): number {
  const found = questions.filter((question) =>
    isFound(question, corpus.retriever.retrieve(corpus.collectionId, question[kind], atMost)),
  );
  return found.length / questions.length;
}
