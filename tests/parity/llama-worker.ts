/**
 * Child process that holds llama.cpp (npm package node-llama-cpp, installed outside the repository): a failed assertion in it ends this
 * process, not the test run. Jobs come and answers go over Node's IPC channel. Usage: see llama.ts.
 */
import { loadLlama } from './llama-package.ts';

export interface LlamaJob {
  readonly file: string;
  readonly tokens: readonly number[];
  /** Greedy tokens to append one by one after `tokens`. */
  readonly generate: number;
  readonly vocabularySize: number;
  /** Type of the KV cache. With F32 its attention rounds nothing to f16. */
  readonly kv: 'F16' | 'F32';
}

export type LlamaAnswer = { readonly logits: Float32Array; readonly generated: number[] } | { readonly error: string };

/** The part of node-llama-cpp that is used here. */
interface Llama {
  loadModel(options: { modelPath: string; gpuLayers: number }): Promise<LlamaModel>;
}
interface LlamaModel {
  createContext(options: object): Promise<LlamaContext>;
  dispose(): Promise<void>;
}
interface LlamaContext {
  getSequence(): {
    controlledEvaluate(input: unknown[]): Promise<({ next: { logits?: Map<number, number> } } | undefined)[]>;
  };
  dispose(): Promise<void>;
}

const llama = await loadLlama<Llama>(process.argv[2], false);

async function evaluate({ file, tokens, generate, vocabularySize, kv }: LlamaJob): Promise<LlamaAnswer> {
  const model = await llama.loadModel({ modelPath: file, gpuLayers: 0 });
  const contextSize = Math.max(256, tokens.length + generate + 1);
  const context = await model.createContext({
    contextSize,
    batchSize: 512,
    threads: 2,
    flashAttention: false, // its CPU form accumulates in f16
    experimentalKvCacheKeyType: kv,
    experimentalKvCacheValueType: kv,
  });
  const sequence = context.getSequence();
  const rows: Float32Array[] = [];
  const append = async (ids: readonly number[]) => {
    const outputs = await sequence.controlledEvaluate(ids.map((id) => [id, { generateNext: { logits: true } }]));
    for (const output of outputs) {
      const row = new Float32Array(vocabularySize).fill(NaN);
      for (const [id, logit] of output!.next.logits!) row[id] = logit; // the map is sorted by value
      rows.push(row);
    }
  };
  await append(tokens);
  const generated: number[] = [];
  while (generated.length < generate) {
    const id = argmax(rows[rows.length - 1]);
    generated.push(id);
    await append([id]);
  }
  await context.dispose();
  await model.dispose();
  const logits = new Float32Array(rows.length * vocabularySize);
  rows.forEach((row, index) => logits.set(row, index * vocabularySize));
  return { logits, generated };
}

function argmax(row: Float32Array): number {
  let best = 0;
  for (let id = 1; id < row.length; id++) if (row[id] > row[best]) best = id;
  return best;
}

process.on('message', (job: LlamaJob) => {
  evaluate(job)
    .catch((error: unknown): LlamaAnswer => ({ error: String(error) }))
    .then((answer) => process.send!(answer));
});
process.on('disconnect', () => process.exit(0));
