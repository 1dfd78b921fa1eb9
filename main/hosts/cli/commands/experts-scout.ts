/** `experts scout MODEL --prompt T`: how many of a token's later misses one run-through without the absent experts would find. On the CPU. */
import type { ModelSpec, MoeFfnTensors } from '../../../../gpu/architectures/types.ts';
import { readModel } from '../../../../gpu/architectures/read-model.ts';
import { defaultPolicy } from '../../../../gpu/residency/policy/policies.ts';
import { scoutRecall, type ScoutRecall } from '../../../../gpu/residency/policy/scout-recall.ts';
import { createTokenizer } from '../../../../gpu/tokenizer/tokenizer.ts';
import { openModelFile } from '../../../library/model-file.ts';
import { UsageError, type CliContext } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { percent, textTable } from '../text-table.ts';
import { readSlots } from './experts-policies.ts';

/** Tokens that fill the slots before anything is counted. */
const WARM_UP_TOKENS = 32;
/** Dequantised weights kept: enough that the small models this is meant for read each expert once. */
const WEIGHT_BUDGET_BYTES = 6 * 2 ** 30;

/** Uses `--prompt`, `--slots` and `--max-tokens` (of the text, default 128). */
export async function scoutExperts({ flags, signal, log, result }: CliContext, paths: readonly string[]): Promise<number> {
  if (paths.length !== 1) throw new UsageError('experts scout needs one model.');
  const text = flags.required('prompt');
  const most = flags.integer('max-tokens', { min: WARM_UP_TOKENS + 1 }) ?? 128;
  const opened = await openModelFile(paths[0], signal);
  try {
    const model = readModel(opened.file);
    const { nExperts, nExpertsUsed: nUsed } = moeOf(model, paths[0]);
    const slots = readSlots(flags.string('slots') ?? '25%,50%', { nExperts, nUsed });
    const tokens = createTokenizer(opened.file.metadata).encode(text, { parseSpecial: true, addSpecial: true }).slice(0, most);
    if (tokens.length <= WARM_UP_TOKENS)
      throw new UsageError(
        `--prompt has ${tokens.length} tokens, but ${WARM_UP_TOKENS} only fill the slots: give a longer text.`,
      );
    const results = await scoutRecall({
      model,
      tokens,
      scenarios: slots.flatMap((nSlots) => [false, true].map((renormalise) => ({ nSlots, renormalise }))),
      policy: defaultPolicy,
      warmUpTokens: WARM_UP_TOKENS,
      weightBudgetBytes: WEIGHT_BUDGET_BYTES,
      onToken: (done) => {
        signal.throwIfAborted();
        if (done % 32 === 0) log(`${done} of ${tokens.length} tokens`);
      },
    });
    result(
      { model: model.name, nExperts, nExpertsUsed: nUsed, warmUpTokens: WARM_UP_TOKENS, results },
      describe(model, results, nExperts),
    );
    return EXIT.done;
  } finally {
    await opened.close();
  }
}

function moeOf(model: ModelSpec, path: string): MoeFfnTensors['moe'] {
  const ffn = model.layers.map((layer) => layer.ffn).find(({ kind }) => kind === 'moe');
  if (ffn?.kind !== 'moe') throw new UsageError(`${path} has no experts: it is a dense model.`);
  return ffn.moe;
}

function describe(model: ModelSpec, results: readonly ScoutRecall[], nExperts: number): string {
  const rows = results.map((row) => [
    `${row.nSlots} (${percent(row.nSlots / nExperts)})`,
    row.renormalise ? 'renormalised' : 'left out',
    percent(row.hitRate),
    share(row.found, row.laterMisses),
    share(row.found, row.named),
    (row.resumeReadbacks / row.tokens).toFixed(2),
    (row.scoutReadbacks / row.tokens).toFixed(2),
    (row.scoutRuns / row.tokens).toFixed(2),
  ]);
  const head = ['slots', 'absent', 'hits', 'found', 'right', 'read-backs', 'with scout', 'runs'];
  return [
    `${model.name}: ${results[0].tokens} tokens after ${WARM_UP_TOKENS} that filled the slots`,
    'found: share of the misses behind the first missing layer that one run-through names; right: share of what it names that is needed;',
    'read-backs per token with one per missing layer, and with scouts; runs: what the scouts compute, in whole tokens',
    '',
    ...textTable([head, ...rows], 2),
  ].join('\n');
}

function share(part: number, whole: number): string {
  return whole > 0 ? percent(part / whole) : '-';
}
