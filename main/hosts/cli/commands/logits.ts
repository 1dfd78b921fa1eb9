/** `logits MODEL --tokens 1,2,3 --out F.f32`: the logits of every position, for parity with other engines. */
import { writeFile } from 'node:fs/promises';
import { openEngine } from '../../node/engine.ts';
import { UsageError, type CliCommand } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { engineOptions } from '../generation.ts';

export const command: CliCommand = {
  name: 'logits',
  usage: 'MODEL --tokens 1,2,3 --out F.f32 [--decode] [--chunk N] [--json]',
  summary: 'Writes the logits [n, V] of every position of a sequence, as raw little-endian f32.',
  options: {
    tokens: { type: 'string', value: 'IDS', description: 'token ids, such as 1,2,3 (what tokenize prints)' },
    out: { type: 'string', value: 'FILE', description: 'where the logits go; an existing file is replaced' },
    decode: { type: 'boolean', description: 'through the kernels of generation, token by token, instead of those of prefill' },
    chunk: { type: 'string', value: 'N', description: 'tokens per prefill chunk, 1 to 512; changes no bit of the result' },
  },
  positionals: [1, 1],
  async run({ positionals, flags, common, signal, log, result }) {
    const tokens = flags.integers('tokens');
    if (tokens === undefined) throw new UsageError('--tokens is missing.');
    const out = flags.required('out');
    const isDecode = flags.boolean('decode');
    const opened = await openEngine({
      path: positionals[0],
      ...engineOptions(common, signal, log),
      contextTokens: common.contextTokens ?? tokens.length,
      prefillChunkTokens: flags.integer('chunk', { min: 1, max: 512 }),
    });
    try {
      const { engine, model, device } = opened;
      const { vocabularySize } = model;
      const wrong = tokens.find((id) => id < 0 || id >= vocabularySize);
      if (wrong !== undefined) {
        throw new UsageError(`--tokens has ${wrong}, but the ids of this model are 0 to ${vocabularySize - 1}.`);
      }
      const startMs = performance.now();
      const logits = isDecode ? await engine.decodeLogits(tokens) : await engine.logits(tokens);
      const elapsedMs = performance.now() - startMs;
      await writeOut(out, logits);
      result(
        {
          out,
          shape: [tokens.length, vocabularySize],
          type: 'f32',
          sizeBytes: logits.byteLength,
          kernels: isDecode ? 'decode' : 'prefill',
          elapsedMs,
          adapter: device.capabilities.description,
        },
        `${out}: ${tokens.length} × ${vocabularySize} f32, ${logits.byteLength} bytes`,
      );
      return EXIT.done;
    } finally {
      await opened.close();
    }
  },
};

/** All platforms that we run on are little-endian, so the numbers go out as they lie in memory. */
async function writeOut(path: string, logits: Float32Array): Promise<void> {
  try {
    await writeFile(path, new Uint8Array(logits.buffer, logits.byteOffset, logits.byteLength));
  } catch (error) {
    throw new UsageError(`--out ${path} cannot be written: ${(error as Error).message}.`);
  }
}
