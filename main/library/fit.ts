/**
 * Whether a model fits this computer, in words. Once a model has been loaded here the planner answers, from the budgets and speeds that it
 * found; before that, or where a model's shape is not known, its size is held against the memory.
 */
import type { KvType } from '../../gpu/quant/kv-types.ts';
import type { FitVerdict } from '../contract/downloads.ts';
import { fitVerdict, type Verdict } from '../experts/fit-verdict.ts';
import type { FoundMachine } from '../experts/found-store.ts';

export interface Computer {
  readonly ramBytes: number;
  /** What the last load found; null before the first. */
  readonly known: FoundMachine | null;
  /** Of keys and values, as set; default f16. */
  readonly kvType?: KvType;
}

/** null: not known. */
export interface ModelShape {
  readonly sizeBytes: number | null;
  readonly layers: number | null;
  /** 0: dense. */
  readonly experts: number | null;
  readonly expertsUsed: number | null;
  readonly expertBytes?: number;
  readonly contextTokens: number | null;
}

/** What the system, the app and the context of a conversation take besides the weights. */
const BESIDES_BYTES = 3 * 2 ** 30;
/** Of the memory that is left; more means that other programs get squeezed. */
const COMFORTABLE = 0.75;
/** The planner takes no more than that by itself. */
const USUAL_CONTEXT_TOKENS = 4096;

const LEVELS: Readonly<Record<Verdict, FitVerdict['level']>> = {
  fits: 'gpu',
  'fits-with-offload': 'ram',
  slow: 'disk',
  'does-not-fit': 'none',
};

export function fitOf(model: ModelShape, { ramBytes, known, kvType }: Computer): FitVerdict {
  const { sizeBytes, layers, experts, expertsUsed } = model;
  if (sizeBytes === null) return { level: 'unknown', text: 'Its size is not known, so nothing can be said about memory.' };
  if (known === null || layers === null || experts === null || expertsUsed === null) return againstMemory(sizeBytes, ramBytes);
  const { verdict, sentence } = fitVerdict(
    {
      fileBytes: sizeBytes,
      nLayers: layers,
      nExperts: experts,
      nExpertsUsed: expertsUsed,
      expertBytes: model.expertBytes ?? null,
      trainedContextTokens: model.contextTokens ?? USUAL_CONTEXT_TOKENS,
      kvBytesPerToken: null,
    },
    known.machine,
    known.budgets,
    { kvType },
  );
  return { level: LEVELS[verdict], text: sentence };
}

function againstMemory(sizeBytes: number, ramBytes: number): FitVerdict {
  const room = ramBytes - BESIDES_BYTES;
  const memory = `this computer’s ${Math.round(ramBytes / 2 ** 30)} GiB of memory`;
  if (sizeBytes <= room * COMFORTABLE) return { level: 'ram', text: `Fits into ${memory}.` };
  if (sizeBytes <= room) return { level: 'ram', text: `Just fits into ${memory}; close other large programs.` };
  return {
    level: 'disk',
    text: `Larger than ${memory} leaves free. Experts must be read from the disk again and again: slow.`,
  };
}
