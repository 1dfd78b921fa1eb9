/**
 * Kills a process with SIGKILL while it indexes, again and again, then lets it end, and looks for what was lost or is there twice. As a
 * program: `node tests/documents/kill-indexing.ts [--rounds 20] [--seed N]`, one JSON document on stdout.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { openBetterSqlite3 } from '../../main/database/better-sqlite3.ts';
import { listAllDocuments, readDocumentText } from '../../main/database/documents.ts';
import { openDatabase } from '../../main/database/open.ts';
import { searchChunks } from '../../main/database/passages.ts';
import { generateCorpus, randomOf } from './corpus.ts';

const child = fileURLToPath(new URL('./index-child.ts', import.meta.url));
/** Killed after one to so many reports of progress (a document gives at least one; a round has three), and up to so long after the last. */
const MOST_REPORTS = 4;
const MOST_SPIN_MS = 60;

export interface KillReport {
  readonly seed: number;
  readonly kills: number;
  readonly documents: number;
  readonly chunks: number;
  /** What is wrong; empty when all is well. */
  readonly faults: readonly string[];
}

/** `rounds` kills at most: fewer where the queue ends before. */
export async function killIndexing(rounds: number, seed: number): Promise<KillReport> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'conclave kill-'));
  try {
    const random = randomOf(seed);
    const { documents } = generateCorpus(seed, { nDocuments: 3 * rounds, nSections: 60, nQuestions: 0 });
    const files = path.join(folder, 'files');
    mkdirSync(files);
    for (const [i, { name, text }] of documents.entries()) writeFileSync(path.join(files, name), `${text}\nmark${i}mark\n`);
    const data = path.join(folder, 'data');
    let kills = 0;
    const when = () => [1 + Math.floor(random() * MOST_REPORTS), random() * MOST_SPIN_MS];
    while (kills < rounds && (await runChild(data, files, when())) === 'killed') kills++;
    await runChild(data, files, []);
    return { seed, kills, ...inspect(data, documents.length) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Resolves when it has read everything, or has killed itself as `when` (reports, ms) says. */
function runChild(data: string, files: string, when: readonly number[]): Promise<'killed' | 'done'> {
  return new Promise((resolve, reject) => {
    const running = spawn(process.execPath, [child, data, files, ...when.map(String)], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    running.on('error', reject);
    running.on('exit', (code, signal) => {
      if (signal === 'SIGKILL' || (code !== 0 && process.platform === 'win32' && when.length > 0)) resolve('killed');
      else if (code === 0) resolve('done');
      else reject(new Error(`the indexing process ended with ${code}`));
    });
  });
}

function inspect(data: string, nDocuments: number): Pick<KillReport, 'documents' | 'chunks' | 'faults'> {
  const { db, close } = openDatabase(path.join(data, 'history.sqlite'), openBetterSqlite3);
  const faults: string[] = [];
  const documents = listAllDocuments(db);
  if (documents.length !== nDocuments) faults.push(`${documents.length} documents instead of ${nDocuments}`);
  for (const { id, title, status, chunks: nChunks } of documents) {
    if (status !== 'ready') faults.push(`${title} is ${status}`);
    const versions = db.all<{ seq: number }>('SELECT seq FROM document_versions WHERE document_id = ?', id);
    if (versions.length !== 1) faults.push(`${title} has ${versions.length} versions`);
    const rows = db.all<{ number: number; start: number; end: number; text: string }>(
      `SELECT number, start, "end", chunks.text FROM chunks WHERE version_seq = ? ORDER BY number`,
      versions[0]?.seq ?? -1,
    );
    const { text } = readDocumentText(db, id) ?? { text: '' };
    if (rows.length !== nChunks || rows.length === 0) faults.push(`${title} has ${rows.length} chunks instead of ${nChunks}`);
    if (rows.some((row, i) => row.number !== i || text.slice(row.start, row.end) !== row.text))
      faults.push(`${title}: spans are wrong`);
  }
  const count = (sql: string) => db.get<{ n: number }>(sql)!.n;
  const chunks = count('SELECT count(*) AS n FROM chunks');
  const indexed = count(`SELECT count(*) AS n FROM chunks_search_docsize`);
  if (chunks !== indexed) faults.push(`${chunks} chunks, ${indexed} in the search index`);
  const [collection] = new Set(documents.map(({ collectionId }) => collectionId));
  for (let i = 0; i < nDocuments; i++) {
    const found = searchChunks(db, collection, `"mark${i}mark"`, 10).length;
    if (found !== 1) faults.push(`the mark of document ${i} is found ${found} times`);
  }
  close();
  return { documents: documents.length, chunks, faults };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: { rounds: { type: 'string', default: '20' }, seed: { type: 'string', default: '1' } },
  });
  console.log(JSON.stringify(await killIndexing(Number(values.rounds), Number(values.seed))));
}
