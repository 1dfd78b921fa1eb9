/**
 * What a long prompt in a conversation costs the answer behind it: `node main/hosts/launcher/with-node.mjs tests/offload/second-prompt.ts
 * [MODEL.gguf] [--slots 25%] [--ram 10%,25%,50%] [--prompt 256] [--seeds 3]` with CONCLAVE_ADAPTER. A short prompt, an answer, a long prompt, an
 * answer: expert bytes read from the file, and the share of misses that the RAM pool served, in the last tokens before it and the first behind it.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { readModel } from '../../gpu/architectures/read-model.ts';
import type { ModelSpec } from '../../gpu/architectures/types.ts';
import type { GpuDevice } from '../../gpu/device/open-device.ts';
import { memorySource } from '../../gpu/gguf/memory-source.ts';
import { openGguf } from '../../gpu/gguf/read.ts';
import { mebibytes } from '../../gpu/residency/plan/words.ts';
import type { ResidencyPlan } from '../../gpu/residency/types.ts';
import { createEngine } from '../../gpu/runtime/engine.ts';
import { createTokenizer } from '../../gpu/tokenizer/tokenizer.ts';
import { percent, textTable } from '../../main/hosts/cli/text-table.ts';
import { openModelFile } from '../../main/library/model-file.ts';
import { openTestDevice } from '../gpu/node-gpu.ts';
import { generatedModel } from './exactness.ts';
import { planForShare, shareOf } from './share-plan.ts';

/** Tokens whose reads are counted, and the prompt before the first answer. */
const COUNTED_TOKENS = 32;
const FIRST_PROMPT_TOKENS = 48;

/** Reads of `COUNTED_TOKENS` tokens. */
export interface Reads {
  readonly bytesRead: number;
  readonly fromRam: number;
  readonly fromDisk: number;
}

export interface SecondPrompt {
  readonly before: Reads;
  readonly promptBytesRead: number;
  readonly behind: Reads;
}

/** `text`: tokens of both prompts, one after the other. Every layer is asked, so that nothing is read that no token wanted. */
export async function measureSecondPrompt(
  gpu: GpuDevice,
  model: ModelSpec,
  residency: ResidencyPlan,
  { text, seed }: { readonly text: Int32Array; readonly seed: number },
): Promise<SecondPrompt> {
  const engine = await createEngine(gpu, { model, contextTokens: text.length + 3 * COUNTED_TOKENS, residency, missReach: 1 });
  const counted = async (work: () => Promise<void>): Promise<Reads> => {
    const before = engine.residency();
    await work();
    const after = engine.residency();
    return {
      bytesRead: after.expertBytesRead - before.expertBytesRead,
      fromRam: after.missesFromRam - before.missesFromRam,
      fromDisk: after.missesFromDisk - before.missesFromDisk,
    };
  };
  const answer = async () => {
    const sampling = { temperature: 1, topK: 0, topP: 1, minP: 0, seed };
    const tokens = engine.generate({ maxTokens: COUNTED_TOKENS, sampling, endIds: new Set() });
    while (!(await tokens.next()).done);
  };
  try {
    await engine.prefill(text.slice(0, FIRST_PROMPT_TOKENS));
    await answer();
    const before = await counted(answer);
    const prompt = await counted(() => engine.prefill(text.slice(FIRST_PROMPT_TOKENS)));
    return { before, promptBytesRead: prompt.bytesRead, behind: await counted(answer) };
  } finally {
    await engine.stop();
    engine.dispose();
  }
}

const served = ({ fromRam, fromDisk }: Reads) => percent(fromRam / Math.max(1, fromRam + fromDisk));

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      slots: { type: 'string', default: '25%' },
      ram: { type: 'string', default: '10%,25%,50%' },
      prompt: { type: 'string', default: '256' },
      seeds: { type: 'string', default: '3' },
    },
  });
  const gpu = await openTestDevice();
  if (!gpu) throw new Error('no adapter');
  const opened = positionals[0] ? await openModelFile(positionals[0]) : null;
  const file = opened?.file ?? (await openGguf(memorySource('generated.gguf', generatedModel())));
  const model = readModel(file);
  const prose = readFileSync(fileURLToPath(new URL('../../docs/offload.md', import.meta.url)), 'utf8');
  const tokens = createTokenizer(file.metadata).encodePieces([{ text: prose, trusted: false }]);
  const length = FIRST_PROMPT_TOKENS + Number(values.prompt);
  const rows = [['RAM pool', 'before: read', 'from the pool', 'the prompt: read', 'behind it: read', 'from the pool']];
  for (const ram of values.ram.split(',')) {
    const { plan } = planForShare(model, shareOf(values.slots), shareOf(ram));
    const sum = {
      before: { bytesRead: 0, fromRam: 0, fromDisk: 0 },
      behind: { bytesRead: 0, fromRam: 0, fromDisk: 0 },
      prompt: 0,
    };
    for (let seed = 1; seed <= Number(values.seeds); seed++) {
      const text = tokens.slice(seed * length, (seed + 1) * length);
      const { before, behind, promptBytesRead } = await measureSecondPrompt(gpu, model, plan, { text, seed });
      for (const key of ['bytesRead', 'fromRam', 'fromDisk'] as const) {
        sum.before[key] += before[key];
        sum.behind[key] += behind[key];
      }
      sum.prompt += promptBytesRead;
    }
    const { before, behind, prompt } = sum;
    rows.push([ram, mebibytes(before.bytesRead), served(before), mebibytes(prompt), mebibytes(behind.bytesRead), served(behind)]);
  }
  console.log(`${positionals[0] ?? 'generated'}, ${gpu.capabilities.description}, ${values.seeds} conversations together`);
  console.log(textTable(rows, 0).join('\n'));
  await opened?.close();
  gpu.dispose();
  process.exit(0);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
