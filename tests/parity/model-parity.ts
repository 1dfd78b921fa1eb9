/**
 * Parity on a real model. llama.cpp's rounding cannot be reproduced to the last bit over many layers (one integer that falls the other way moves all
 * after it), so the file is judged in two steps: a copy with our dequantised F32 weights is held to the F32 bar, and the difference on the
 * file itself must be no more than what the rounding by itself makes in the reference.
 */
import { rmSync } from 'node:fs';
import path from 'node:path';
import { readModel } from '../../gpu/architectures/read-model.ts';
import { openGguf } from '../../gpu/gguf/read.ts';
import { createReferenceEngine } from '../../gpu/reference/engine.ts';
import { createTokenizer } from '../../gpu/tokenizer/tokenizer.ts';
import { openFileSource } from '../../main/hosts/node/file-source.ts';
import { nmsePerPosition, shareWithin, spread, topOnePerPosition } from './compare.ts';
import { writeF32Copy } from './f32-copy.ts';
import { compareGpu, TIMES_ROUNDING } from './gpu-engine.ts';
import { llamaProduct } from './llama-products.ts';
import { percent, scientific, spreadCell, type Check, type Row } from './report.ts';
import { everyPosition, type Peers } from './tiny-parity.ts';

const PROMPT =
  'The capital of France is Paris. A mixture of experts is a neural network in which a router sends every token to a few of many';
const GREEDY_TOKENS = 128;
/** Through the decode kernels; the prefill kernels see all. */
const DECODED_TOKENS = 16;
const LEAST_AGREEMENT = 0.99;
const F32_BAR = 1e-5;

export async function modelParity(file: string, folder: string, { llama, gpu }: Peers): Promise<Row> {
  const source = await openFileSource(file);
  const copy = path.join(folder, 'f32-copy.gguf');
  try {
    const gguf = await openGguf(source);
    const model = readModel(gguf);
    const { vocabularySize } = model;
    const prompt = Array.from(createTokenizer(gguf.metadata).encode(PROMPT, { parseSpecial: false, addSpecial: true }));
    if (llama) await writeF32Copy(gguf, copy);
    const job = { vocabularySize, kv: 'F16' } as const;
    const onCopy = await llama?.evaluate({ ...job, file: copy, tokens: prompt, generate: GREEDY_TOKENS });
    const tokens = [...prompt, ...(onCopy?.generated ?? [])];
    const onFile = await llama?.evaluate({ ...job, file, tokens, generate: 0 });
    const ours = await createReferenceEngine(model).logits(tokens);
    const onGpu = gpu && (await compareGpu(gpu, model, tokens, ours, DECODED_TOKENS));
    const cells: Record<string, string> = { ...onGpu?.cells };
    const checks: Check[] = [...(onGpu?.checks ?? [])];
    if (onCopy && onFile) {
      const copyNmse = nmsePerPosition(ours, onCopy.logits, vocabularySize);
      const fileNmse = nmsePerPosition(ours, onFile.logits, vocabularySize);
      const rounding = await createReferenceEngine(model, { productOf: llamaProduct }).logits(prompt);
      const roundingNmse = nmsePerPosition(ours.subarray(0, rounding.length), rounding, vocabularySize);
      const chosen = topOnePerPosition(onGpu?.logits ?? ours, vocabularySize).slice(prompt.length - 1, -1);
      const agreement = agreementOf(chosen, onCopy.generated);
      cells['F32 copy'] = spreadCell(spread(copyNmse));
      cells['greedy top-1'] = percent(agreement);
      cells['the file'] = spreadCell(spread(fileNmse));
      cells['its rounding alone'] = spreadCell(spread(roundingNmse));
      cells['the file ≤ 5e-4'] = percent(shareWithin(fileNmse, 5e-4));
      const onItself = topOnePerPosition(onFile.logits, vocabularySize).slice(prompt.length - 1, -1);
      cells['the file, top-1'] = percent(agreementOf(chosen, onItself));
      checks.push(
        everyPosition('llama.cpp on an F32 copy', copyNmse, F32_BAR),
        {
          name: `${GREEDY_TOKENS} forced greedy tokens`,
          passed: agreement >= LEAST_AGREEMENT,
          detail: `${percent(agreement)} agree, at least ${percent(LEAST_AGREEMENT)} needed`,
        },
        noMoreThanRounding(fileNmse.slice(0, roundingNmse.length), roundingNmse),
      );
    }
    const types = new Set([...gguf.tensors.values()].map((tensor) => tensor.type));
    types.delete('F32'); // the norms
    return { file: path.basename(file), type: [...types].join(', ') || 'F32', positions: tokens.length, cells, checks };
  } finally {
    await source.close();
    rmSync(copy, { force: true });
  }
}

function agreementOf(chosen: readonly number[], theirs: readonly number[]): number {
  return theirs.filter((id, step) => chosen[step] === id).length / theirs.length;
}

function noMoreThanRounding(difference: readonly number[], rounding: readonly number[]): Check {
  const [found, allowed] = [spread(difference).median, TIMES_ROUNDING * spread(rounding).median];
  return {
    name: 'llama.cpp on the file itself',
    passed: found <= allowed,
    detail: `median NMSE ${scientific(found)}, at most ${scientific(allowed)} allowed (${TIMES_ROUNDING} times the rounding alone)`,
  };
}
