/**
 * Whether a model will run on this machine, and how fast, before a byte of it is downloaded: the planner over a model that is only a handful
 * of numbers, with generous guesses for the rest. Pure.
 */
import { isConclaveError } from '../../gpu/errors.ts';
import { KV_NUMBER_BYTES, type KvType } from '../../gpu/quant/kv-types.ts';
import { planOffload } from '../../gpu/residency/plan/plan.ts';
import type { Budgets, MachineFigures, ModelNumbers, OffloadPlan } from '../../gpu/residency/plan/types.ts';
import { mebibytes } from '../../gpu/residency/plan/words.ts';

/** What a catalogue entry, or the header of a file, says. */
export interface ModelSizes {
  readonly fileBytes: number;
  readonly nLayers: number;
  /** 0: dense. */
  readonly nExperts: number;
  readonly nExpertsUsed: number;
  /** All routed experts together; null: nearly all of a mixture-of-experts file. */
  readonly expertBytes: number | null;
  readonly trainedContextTokens: number;
  /** Of keys and values for one token, all layers, in f16; null: as for grouped queries at this size. */
  readonly kvBytesPerToken: number | null;
}

export type Verdict = 'fits' | 'fits-with-offload' | 'slow' | 'does-not-fit';

export interface FitVerdict {
  readonly verdict: Verdict;
  /** Complete, for the library: what happens and how fast. */
  readonly sentence: string;
  /** null where it does not fit. */
  readonly tokensPerSecond: { readonly from: number; readonly to: number } | null;
  readonly plan: OffloadPlan | null;
}

/** Slower than people read: an answer takes minutes. */
const SLOW_TOKENS_PER_SECOND = 4;
/** Of a file of small experts; the rest is attention, embedding and shared experts. */
const EXPERT_SHARE = 0.93;

/** `maxBindingBytes`: the adapter's, or 128 MiB, which every adapter has. `diskBytes`: free where the file would go; null: not asked. */
export function fitVerdict(
  model: ModelSizes,
  machine: MachineFigures,
  budgets: Budgets = { gpuBytes: null, ramBytes: null },
  { maxBindingBytes = 2 ** 27, diskFreeBytes = null as number | null, kvType = 'f16' as KvType } = {},
): FitVerdict {
  if (diskFreeBytes !== null && diskFreeBytes < model.fileBytes) {
    const sentence = `It takes ${mebibytes(model.fileBytes)} on disk; ${mebibytes(diskFreeBytes)} are free.`;
    return { verdict: 'does-not-fit', sentence, tokensPerSecond: null, plan: null };
  }
  let plan: OffloadPlan;
  try {
    plan = planOffload(roughNumbers(model, maxBindingBytes, kvType), { budgets, machine, context: null });
  } catch (error) {
    if (!isConclaveError(error)) throw error;
    return { verdict: 'does-not-fit', sentence: refusal(model, error), tokensPerSecond: null, plan: null };
  }
  const { fromTokensPerSecond: from, toTokensPerSecond: to } = plan.prediction;
  const verdict =
    to < SLOW_TOKENS_PER_SECOND ? 'slow' : plan.layers.slotted + plan.layers.streamed === 0 ? 'fits' : 'fits-with-offload';
  return { verdict, sentence: sentenceOf(verdict, plan, machine), tokensPerSecond: { from, to }, plan };
}

/** The planner's numbers from a few: per-layer sizes even, activations and head as such models have them. */
function roughNumbers(model: ModelSizes, maxBindingBytes: number, kvType: KvType): ModelNumbers {
  const { fileBytes, nLayers, nExperts, nExpertsUsed } = model;
  const isMoe = nExperts > 0;
  const expertBytes = isMoe ? (model.expertBytes ?? EXPERT_SHARE * fileBytes) : 0;
  const oneExpert = isMoe ? Math.ceil(expertBytes / (nLayers * nExperts) / 256) * 256 : 0;
  const weightsBytes = fileBytes - expertBytes;
  // Larger models are wider: a width that goes with the size of what every token passes.
  const width = Math.min(8192, Math.max(256, Math.round(Math.sqrt(weightsBytes / Math.max(1, nLayers)) / 2)));
  const inF16 = model.kvBytesPerToken ?? nLayers * 2 * 2 * Math.max(256, width / 4);
  const kvBytesPerToken = (inF16 * KV_NUMBER_BYTES[kvType]) / KV_NUMBER_BYTES.f16;
  const layer = {
    slotBytes: oneExpert,
    fileBytes: oneExpert,
    stagedBytes: oneExpert + 256,
    slotsPerShard: Math.max(0, Math.floor(maxBindingBytes / Math.max(1, oneExpert))),
  };
  return {
    layers: isMoe ? Array.from({ length: nLayers }, () => layer) : [],
    nExperts,
    nUsed: nExpertsUsed,
    trainedContextTokens: model.trainedContextTokens,
    weightsBytes,
    weightsTouchedBytes: weightsBytes,
    nDispatches: 3 + nLayers * (isMoe ? 6 : 5),
    kvType,
    kvBytes: (tokens) => Math.ceil(kvBytesPerToken * tokens),
    activationBytes: (tokens, chunk) => 8 * 2 ** 20 + 64 * tokens + 4 * chunk * width * (16 + 2 * nExpertsUsed),
    readbackBytes: 65536,
    repacksOnGpu: true,
    passingBytes: (chunk) => ({ readbackBytes: 2 ** 20 + 4 * chunk * nExpertsUsed, uniformBytes: 512 * nLayers }),
    tableBytes: 4 * nLayers * nExperts,
    transitTableBytes: 4 * nExperts,
  };
}

function sentenceOf(verdict: Verdict, plan: OffloadPlan, machine: MachineFigures): string {
  const { fromTokensPerSecond: from, toTokensPerSecond: to } = plan.prediction;
  const speed = `about ${speedText(from)} to ${speedText(to)} tokens per second`;
  const where = machine.software ? 'the processor (no GPU was found)' : 'your GPU';
  if (verdict === 'fits') return `Fits on ${where}: ${speed}.`;
  const tiers = plan.ram.poolBytes > 0 ? 'RAM and disk' : 'disk';
  const offload = plan.layers.slotted + plan.layers.streamed > 0;
  const share = Math.round(100 * plan.slotShare);
  if (verdict === 'slow')
    return offload
      ? `Runs, but slowly: ${speed}. Only ${share} % of its experts fit on ${where}; the rest come from ${tiers}.`
      : `Runs on ${where}, but slowly: ${speed}.`;
  return `Runs with ${share} % of its experts on ${where} and the rest in ${tiers}: ${speed}.`;
}

function refusal(
  { nExperts }: ModelSizes,
  { code, details }: { code: string; details: Readonly<Record<string, unknown>> },
): string {
  const { leastBytes, budgetBytes } = details;
  if (code === 'engine.budget' && typeof leastBytes === 'number' && typeof budgetBytes === 'number')
    return `Does not fit: ${nExperts > 0 ? 'even with its experts on disk ' : ''}it needs ${mebibytes(leastBytes)} of GPU memory; ${mebibytes(budgetBytes)} can be had.`;
  return 'Does not fit: the experts of one token are larger than this GPU can address at once.';
}

function speedText(perSecond: number): string {
  return perSecond >= 10 ? perSecond.toFixed(0) : perSecond.toFixed(1);
}
