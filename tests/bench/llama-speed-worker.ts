/**
 * Child process that times llama.cpp (npm package node-llama-cpp, installed outside the repository) on one device: loads once, then answers each
 * `round` with the milliseconds of a prefill and of a decode. Its pipelines are compiled by a round that nobody counts.
 */
import { promptIds } from '../../main/hosts/cli/commands/bench.ts';
import { loadLlama } from '../parity/llama-package.ts';

export interface LlamaRound {
  readonly promptTokens: number;
  readonly newTokens: number;
}

export interface LlamaTimes {
  readonly prefillMs: number;
  readonly decodeMs: number;
  /** As llama.cpp names it. */
  readonly device: string;
}

/** The part of node-llama-cpp that is used here. */
interface Llama {
  getGpuDeviceNames(): Promise<string[]>;
  loadModel(options: { modelPath: string; gpuLayers: 'max' | number }): Promise<LlamaModel>;
}
interface LlamaModel {
  createContext(options: object): Promise<{ getSequence(): LlamaSequence }>;
}
interface LlamaSequence {
  clearHistory(): Promise<void>;
  controlledEvaluate(input: unknown[]): Promise<({ next: { token?: number } } | undefined)[]>;
}

const [folder, file, gpu, vocabularyText] = process.argv.slice(2);
const vocabularySize = Number(vocabularyText);
const llama = await loadLlama<Llama>(folder, gpu === 'cpu' ? false : gpu);
const device = gpu === 'cpu' ? 'CPU' : (await llama.getGpuDeviceNames()).join(', ');
const model = await llama.loadModel({ modelPath: file, gpuLayers: gpu === 'cpu' ? 0 : 'max' });
const context = await model.createContext({ contextSize: 1024, batchSize: 512, threads: 2, flashAttention: false });
const sequence = context.getSequence();

async function round({ promptTokens, newTokens }: LlamaRound): Promise<LlamaTimes> {
  await sequence.clearHistory();
  const prompt = Array.from(promptIds(promptTokens, vocabularySize));
  const startMs = performance.now();
  const last = { generateNext: { token: true } };
  const outputs = await sequence.controlledEvaluate(prompt.map((id, i) => (i === promptTokens - 1 ? [id, last] : id)));
  let token = outputs[promptTokens - 1]!.next.token!;
  const prefilledMs = performance.now();
  for (let i = 1; i < newTokens; i++) token = (await sequence.controlledEvaluate([[token, last]]))[0]!.next.token!;
  return { prefillMs: prefilledMs - startMs, decodeMs: performance.now() - prefilledMs, device };
}

process.on('message', (job: LlamaRound) => {
  round(job).then(
    (times) => process.send!(times),
    (error: unknown) => process.send!({ error: String(error) }),
  );
});
process.on('disconnect', () => process.exit(0));
process.send!('ready');
