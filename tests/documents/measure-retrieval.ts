/**
 * `node tests/documents/measure-retrieval.ts [--seed N]`: recall on a generated corpus of 200 questions, processor time of a query at 10,000 chunks,
 * indexing speed,
 * and how well the evidence tells right answers from wrong ones. One JSON document on stdout.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { answerSupport } from './answer-support.ts';
import { generateCorpus } from './corpus.ts';
import { indexCorpus, recall } from './index-corpus.ts';

const { values } = parseArgs({ options: { seed: { type: 'string', default: '1' } } });
const seed = Number(values.seed);
const folder = mkdtempSync(path.join(os.tmpdir(), 'conclave-retrieval-'));
try {
  const corpus = generateCorpus(seed, { nDocuments: 20, nSections: 60, nQuestions: 200 });
  const small = await indexCorpus(path.join(folder, 'small'), corpus);
  const { chunks: nChunks } = small.db.get<{ chunks: number }>('SELECT count(*) AS chunks FROM chunks')!;
  const figures = Object.fromEntries(
    (['direct', 'paraphrase'] as const).flatMap((kind) =>
      [1, 5].map((atMost) => [`${kind}Recall@${atMost}`, recall(small, corpus.questions, kind, atMost)]),
    ),
  );
  const support = answerSupport(small, corpus.questions);
  small.close();

  const largeCorpus = generateCorpus(seed + 1, { nDocuments: 56, nSections: 100, nQuestions: 200 });
  const large = await indexCorpus(path.join(folder, 'large'), largeCorpus);
  const { chunks: nLargeChunks } = large.db.get<{ chunks: number }>('SELECT count(*) AS chunks FROM chunks')!;
  const timesMs = largeCorpus.questions
    .map(({ direct }) => {
      const start = process.cpuUsage(); // the machine may be shared: what the query itself costs
      large.retriever.retrieve(large.collectionId, direct, 5);
      const { user, system } = process.cpuUsage(start);
      return (user + system) / 1000;
    })
    .sort((a, b) => a - b);
  const percentile = (share: number) => Math.round(timesMs[Math.floor(share * timesMs.length)] * 10) / 10;
  console.log(
    JSON.stringify({
      seed,
      questions: corpus.questions.length,
      chunks: nChunks,
      ...figures,
      support,
      large: {
        chunks: nLargeChunks,
        queryCpuMs: { p50: percentile(0.5), p95: percentile(0.95) },
        indexedMBPerSecond: Math.round((large.bytes / 1000 / large.elapsedMs) * 100) / 100,
        indexedMBPerCpuSecond: Math.round((large.bytes / 1000 / large.cpuMs) * 100) / 100,
        bytes: large.bytes,
      },
    }),
  );
  large.close();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
