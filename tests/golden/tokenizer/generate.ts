/**
 * Writes the golden files beside it: ids that llama.cpp gives for the corpus, through the npm package node-llama-cpp (not a dependency
 * of this project; install it in a folder of its own).
 *
 *   node tests/golden/tokenizer/generate.ts --llama DIR_WITH_NODE_MODULES [--smollm2 SmolLM2-135M-Instruct.gguf]
 *
 * It also compares our tokenizer with llama.cpp on the way and prints each difference.
 */
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { openGguf } from '../../../gpu/gguf/read.ts';
import { boolValue, f32sValue, ggufBytes, i32sValue, stringValue, stringsValue, u32Value } from '../../../gpu/gguf/write.ts';
import type { WritableValue } from '../../../gpu/gguf/write.ts';
import { memorySource } from '../../../gpu/gguf/memory-source.ts';
import { alphabetTextOfBytes } from '../../../gpu/tokenizer/byte-level.ts';
import { createTokenizer } from '../../../gpu/tokenizer/tokenizer.ts';
import { TokenType } from '../../../gpu/tokenizer/vocabulary.ts';
import { CORPUS } from './corpus.ts';
import { GOLDEN_MAGIC, GOLDEN_VERSION, metadataOfGolden, type Golden, type GoldenRun } from './goldens.ts';
import { trainBpe, trainSpm } from './train.ts';

interface OracleModel {
  tokenize(text: string, specialTokens: boolean): readonly number[];
  dispose(): Promise<void>;
}
interface Oracle {
  loadModel(options: { modelPath: string; vocabOnly: boolean }): Promise<OracleModel>;
}
interface OracleModule {
  getLlama(options: { build: 'never'; gpu: false; logLevel: string }): Promise<Oracle>;
}

const { values: options } = parseArgs({ options: { llama: { type: 'string' }, smollm2: { type: 'string' } } });
if (!options.llama) throw new Error('--llama DIR is missing: the folder in which node-llama-cpp is installed');
const packageFolder = join(options.llama, 'node_modules', 'node-llama-cpp');
const { getLlama } = (await import(pathToFileURL(join(packageFolder, 'dist', 'index.js')).href)) as OracleModule;
const packageVersion = (JSON.parse(await readFile(join(packageFolder, 'package.json'), 'utf8')) as { version: string }).version;
const oracle = await getLlama({ build: 'never', gpu: false, logLevel: 'disabled' });
const source = `llama.cpp in node-llama-cpp ${packageVersion}`;
const folder = await mkdtemp(join(tmpdir(), 'conclave-golden-'));

async function run(vocabulary: Golden['vocabulary'], settings: GoldenRun['settings'], modelPath?: string): Promise<GoldenRun> {
  const metadata = metadataOfGolden(vocabulary, settings);
  let path = modelPath;
  if (path === undefined && !('sparse' in vocabulary)) {
    const entries = new Map<string, WritableValue>([
      ['general.architecture', stringValue('llama')],
      ['tokenizer.ggml.tokens', stringsValue(vocabulary.tokens)],
      ['tokenizer.ggml.token_type', i32sValue(vocabulary.types)],
    ]);
    for (const key of ['context_length', 'embedding_length', 'block_count', 'attention.head_count', 'feed_forward_length']) {
      entries.set(`llama.${key}`, u32Value(32));
    }
    entries.set('llama.attention.layer_norm_rms_epsilon', { type: 'FLOAT32', value: 1e-5 });
    if (vocabulary.merges) entries.set('tokenizer.ggml.merges', stringsValue(vocabulary.merges));
    if (vocabulary.scores) entries.set('tokenizer.ggml.scores', f32sValue(vocabulary.scores));
    for (const [key, value] of Object.entries(settings)) {
      const writable = typeof value === 'string' ? stringValue(value) : typeof value === 'boolean' ? boolValue(value) : u32Value(value);
      entries.set(`tokenizer.ggml.${key}`, writable);
    }
    path = join(folder, 'vocabulary.gguf');
    await writeFile(path, ggufBytes({ metadata: entries, tensors: [] }));
  }
  const model = await oracle.loadModel({ modelPath: path!, vocabOnly: true });
  const ours = createTokenizer(metadata);
  const plain = CORPUS.map((text) => [...model.tokenize(text, false)]);
  const special: Record<string, number[]> = {};
  CORPUS.forEach((text, i) => {
    const ids = [...model.tokenize(text, true)];
    if (ids.join() !== plain[i].join()) special[i] = ids;
    for (const parseSpecial of [false, true]) {
      const found = [...ours.encode(text, { parseSpecial, addSpecial: false })];
      const wanted = parseSpecial ? ids : plain[i];
      if (found.join() !== wanted.join()) console.log(JSON.stringify({ settings, parseSpecial, text, wanted, found }));
    }
  });
  await model.dispose();
  console.log(JSON.stringify(settings), plain.flat().length, 'ids');
  return { settings, plain, special };
}

async function write(name: string, vocabulary: Golden['vocabulary'], runs: readonly GoldenRun[]): Promise<void> {
  const corpusHash = createHash('sha256').update(JSON.stringify(CORPUS)).digest('hex').slice(0, 16);
  const golden: Golden = { magic: GOLDEN_MAGIC, version: GOLDEN_VERSION, source, corpusHash, vocabulary, runs };
  await writeFile(new URL(`./${name}.json`, import.meta.url), JSON.stringify(golden) + '\n');
}

/** Of SmolLM2's vocabulary, what the corpus can touch: a merge whose result is in no text can never apply. */
async function excerptOf(path: string) {
  const file = await openGguf(memorySource('smollm2', await readFile(path)));
  const strings = (key: string) => {
    const value = file.metadata.get(`tokenizer.ggml.${key}`);
    if (typeof value !== 'object') throw new Error(`${path} has no tokenizer.ggml.${key}`);
    return value;
  };
  const tokens = strings('tokens').strings();
  const types = strings('token_type').numbers();
  const haystack = CORPUS.map((text) => alphabetTextOfBytes(new TextEncoder().encode(text))).join('\n');
  const merges = strings('merges').strings().filter((merge) => haystack.includes(merge.replace(' ', '')));
  const kept = new Set(merges.flatMap((merge) => [...merge.split(' '), merge.replace(' ', '')]));
  const sparse: Record<string, [string, number]> = {};
  tokens.forEach((text, id) => {
    if (types[id] !== TokenType.normal || text.length === 1 || kept.has(text)) sparse[id] = [text, Number(types[id])];
  });
  return { size: tokens.length, sparse, merges };
}

const bpe = trainBpe(CORPUS, 1200);
const pres = ['smollm', 'gpt-2', 'qwen2', 'llama-bpe', 'gpt-4o', 'default'];
const bpeRuns: GoldenRun[] = [];
for (const pre of pres) bpeRuns.push(await run(bpe, { model: 'gpt2', pre, bos_token_id: 0, eos_token_id: 0, add_bos_token: false }));
await write('bpe', bpe, bpeRuns);

const spm = trainSpm(CORPUS, 1200);
const spmRuns: GoldenRun[] = [];
for (const add_space_prefix of [true, false]) {
  spmRuns.push(await run(spm, { model: 'llama', add_space_prefix, bos_token_id: 1, eos_token_id: 2, unknown_token_id: 0 }));
}
await write('spm', spm, spmRuns);

if (options.smollm2) {
  const settings = { model: 'gpt2', pre: 'smollm', bos_token_id: 1, eos_token_id: 2, add_bos_token: false };
  const excerpt = await excerptOf(options.smollm2);
  await write('smollm2', excerpt, [await run(excerpt, settings, options.smollm2)]);
}
await rm(folder, { recursive: true });
process.exit(0); // the oracle keeps threads
