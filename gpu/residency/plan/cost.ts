/**
 * What a token costs under a placement: compute, waiting for read-backs, bytes over the links. A token is all compute where nothing can be
 * missed; else the GPU is asked once a token, once for every streamed layer, and once for every layer that may miss (resume) or about three
 * times for all that do (scout pass), whichever is less. An expert for which no staging buffer is free waits until the queue has taken one.
 */
import { isChunkAsked } from '../chunk-asked.ts';
import type { PlacedGroup } from './placement.ts';
import type { Rates } from './rates.ts';

export interface CostInput {
  readonly groups: readonly PlacedGroup[];
  readonly nExperts: number;
  readonly nUsed: number;
  readonly weightsTouchedBytes: number;
  readonly nDispatches: number;
  /** All experts at hand; null: from the rates. */
  readonly computeMsPerToken: number | null;
  readonly rates: Rates;
  readonly hitRate: (share: number) => number;
  /** Of the expert bytes without a slot, those that RAM holds (pool, or page cache where memory is unified). */
  readonly ramShare: number;
  readonly readsInFlight: number;
  /** Prompt tokens of a chunk, on average. */
  readonly chunkTokens: number;
}

export interface TokenCost {
  readonly hitRate: number;
  readonly missesFromRam: number;
  readonly missesFromDisk: number;
  readonly readbacks: number;
  readonly bytesRead: number;
  readonly bytesUploaded: number;
  readonly computeMs: number;
  readonly waitMs: number;
  readonly transferMs: number;
  readonly decodeMs: number;
  /** Of one prompt token. */
  readonly prefillMs: number;
}

/** Passes of a token after a miss when the scout has looked ahead, and the compute of looking, in tokens. */
const SCOUT_READBACKS = 3;
const SCOUT_COMPUTE = 1.5;
/**
 * A chunk of n tokens costs as much as this many decoded ones: `perChunk` + n · `perToken`, since it reads each weight once for many tokens, but its last
 * tiles, and those of experts that few tokens use, are not full. Fitted to five models on lavapipe with all experts at hand, chunks of 15 to 255
 * tokens (docs/offload-measured.md, November 2026).
 */
const PREFILL_COMPUTE = { perChunk: 2, perToken: 0.27 };
/** Share of the disk's rate with so many experts, of three reads each, in flight: parallel reads were 9 times one after another (flash-moe, docs). */
const DISK_DEPTH: Readonly<Record<number, number>> = { 1: 0.65, 2: 0.9, 4: 1 };

export function tokenCost(input: CostInput): TokenCost {
  const { groups, nExperts, nUsed, rates } = input;
  const disk = rates.diskBytesPerSecond * (DISK_DEPTH[input.readsInFlight] ?? 1);
  const secondsRam = 1 / rates.uploadBytesPerSecond;
  const secondsDisk = secondsRam + 1 / disk;
  const nLayers = groups.reduce((sum, { count }) => sum + count, 0);
  let [expertBytes, hits, fromRam, fromDisk, bytesRead, bytesUploaded, transferMs, slotted, missing, streamed] = [
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  ];
  let [chunkTransferMs, stagingMs] = [0, 0];
  for (const { count, nSlots, slotBytes, fileBytes } of groups) {
    const share = nSlots / nExperts;
    expertBytes += count * nUsed * slotBytes;
    const hit = share >= 1 ? 1 : input.hitRate(share);
    hits += count * hit;
    if (share >= 1) continue;
    const misses = count * nUsed * (1 - hit);
    const ram = misses * fractionInRam(input, share, hit);
    fromRam += ram;
    fromDisk += misses - ram;
    bytesRead += (misses - ram) * fileBytes;
    bytesUploaded += misses * fileBytes;
    transferMs += 1000 * fileBytes * (ram * secondsRam + (misses - ram) * secondsDisk);
    const missChance = share > 0 ? 1 - hit ** nUsed : 1;
    if (share > 0) {
      slotted += count;
      missing += count * missChance;
    } else streamed += count;
    // A turn's first experts find their staging mapped; the others wait for it as long as for a read-back.
    stagingMs += Math.max(0, misses / input.readsInFlight - count * missChance) * rates.readbackMs;
    // A short chunk is asked which experts its tokens need; for a long one all come that have no slot.
    const isAsked = isChunkAsked(input.chunkTokens, nUsed, nExperts);
    const touched = nExperts * (isAsked ? 1 - (1 - nUsed / nExperts) ** input.chunkTokens : 1) * (1 - share);
    const inRam = input.ramShare;
    const eachMs = 1000 * fileBytes * (inRam * secondsRam + (1 - inRam) * secondsDisk);
    const inTurnMs = (eachMs + rates.readbackMs) / input.readsInFlight;
    chunkTransferMs += count * (touched * Math.max(eachMs, inTurnMs) + (isAsked ? rates.readbackMs : 0));
  }
  const computeMs =
    input.computeMsPerToken ??
    (1000 * (input.weightsTouchedBytes + expertBytes)) / rates.computeBytesPerSecond + input.nDispatches * rates.dispatchMs;
  const scouts = Math.min(missing, SCOUT_READBACKS);
  const resume = slotted * rates.readbackMs;
  const scout = scouts * rates.readbackMs + SCOUT_COMPUTE * computeMs;
  const canMiss = slotted + streamed > 0;
  // Where nothing can be missed, the next token computes while this one is read back.
  const readbacks = canMiss ? 1 + streamed + (resume <= scout ? slotted : scouts) : 1;
  const waitMs = canMiss ? (1 + streamed) * rates.readbackMs + Math.min(resume, scout) + stagingMs : 0;
  return {
    hitRate: nLayers === 0 ? 1 : hits / nLayers,
    missesFromRam: fromRam,
    missesFromDisk: fromDisk,
    readbacks,
    bytesRead,
    bytesUploaded,
    computeMs,
    waitMs,
    transferMs,
    decodeMs: computeMs + waitMs + transferMs,
    prefillMs:
      PREFILL_COMPUTE.perToken * computeMs + (PREFILL_COMPUTE.perChunk * computeMs + chunkTransferMs) / input.chunkTokens,
  };
}

/** Of a layer's misses, those that RAM holds: the cache of GPU and RAM together hits more than the GPU's alone. */
function fractionInRam({ ramShare, hitRate }: CostInput, share: number, hit: number): number {
  if (hit >= 1) return 1;
  const together = hitRate(share + (1 - share) * ramShare);
  return Math.min(1, Math.max(0, (together - hit) / (1 - hit)));
}
