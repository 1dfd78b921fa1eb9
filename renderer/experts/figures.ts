/** Figures of an ExpertActivity as the screen shows them: pure arithmetic. */
import type { ExpertActivity } from '../../main/contract/experts.ts';

export interface LayerFigures {
  readonly layer: number;
  readonly nExperts: number;
  /** Experts that were used at all. */
  readonly used: number;
  readonly busiest: number;
  /** The busiest expert's share of all uses, 0 … 1. */
  readonly busiestShare: number;
  /** Uses of the busiest ÷ the mean; 1 when all are used alike. */
  readonly imbalance: number;
}

export function layerFigures({ layer, uses }: ExpertActivity['layers'][number]): LayerFigures {
  const total = uses.reduce((sum, count) => sum + count, 0);
  const most = Math.max(...uses);
  return {
    layer,
    nExperts: uses.length,
    used: uses.filter((count) => count > 0).length,
    busiest: uses.indexOf(most),
    busiestShare: total === 0 ? 0 : most / total,
    imbalance: total === 0 ? 1 : (most * uses.length) / total,
  };
}

/** How strongly a cell is drawn, 0 … 1: uses against four times an even share, so that one hot expert does not pale the others. */
export function heat(count: number, tokens: number, nUsed: number, nExperts: number): number {
  const even = (tokens * nUsed) / nExperts;
  return even === 0 ? 0 : Math.min(1, Math.sqrt(count / (4 * even)));
}

export interface Part {
  readonly label: string;
  readonly bytes: number;
}

/** What lies where, largest uses first as they are placed; parts of nothing are left out. */
export function memoryParts({ gpuMemory, ramPoolBytes }: ExpertActivity): { gpu: Part[]; ram: Part[] } {
  const gpu = [
    { label: 'Experts', bytes: gpuMemory.expertsBytes },
    { label: 'Other weights', bytes: gpuMemory.weightsBytes },
    { label: 'Context (KV)', bytes: gpuMemory.kvBytes },
    { label: 'Activations', bytes: gpuMemory.activationsBytes },
    { label: 'Staging', bytes: gpuMemory.stagingBytes },
  ];
  return {
    gpu: gpu.filter(({ bytes }) => bytes > 0),
    ram: [{ label: 'Experts in RAM', bytes: ramPoolBytes }].filter(({ bytes }) => bytes > 0),
  };
}

/** Shares of the three tiers, in percent with one decimal, that add to 100 where anything was counted. */
export function tierShares({
  hits,
  missesFromRam,
  missesFromDisk,
}: ExpertActivity): { gpu: number; ram: number; disk: number } | null {
  const total = hits + missesFromRam + missesFromDisk;
  if (total === 0) return null;
  const ram = Math.round((1000 * missesFromRam) / total) / 10;
  const disk = Math.round((1000 * missesFromDisk) / total) / 10;
  return { gpu: Math.round(10 * (100 - ram - disk)) / 10, ram, disk };
}
