/**
 * Budgets and machine as the last load with a plan found them, in one small file of the data folder: so that the Library can say from the start what
 * would run and how fast. A file that is damaged or from elsewhere counts as none.
 */
import path from 'node:path';
import * as v from 'valibot';
import type { Budgets, MachineFigures } from '../../gpu/residency/plan/types.ts';
import { readSmallJson, writeSmallJson } from './small-file.ts';

export interface FoundMachine {
  readonly budgets: Budgets;
  readonly machine: MachineFigures;
}

const FILE = 'last-machine.json';
const VERSION = 1;

const count = v.pipe(v.number(), v.minValue(0), v.finite());
const rate = v.nullable(v.pipe(v.number(), v.gtValue(0), v.finite()));
const schema = v.object({
  version: v.literal(VERSION),
  budgets: v.object({ gpuBytes: v.nullable(count), ramBytes: v.nullable(count) }),
  machine: v.object({
    unifiedMemory: v.boolean(),
    software: v.boolean(),
    gpuFreeBytes: v.nullable(count),
    ramFreeBytes: count,
    ramTotalBytes: count,
    diskBytesPerSecond: rate,
    uploadBytesPerSecond: rate,
    readbackMs: rate,
    computeBytesPerSecond: rate,
    dispatchMs: rate,
  }),
});

export function readFound(dataFolder: string): FoundMachine | null {
  const known = readSmallJson(path.join(dataFolder, FILE), schema);
  return known && { budgets: known.budgets, machine: known.machine };
}

/** Throws where the folder cannot be written. */
export function keepFound(dataFolder: string, found: FoundMachine): void {
  writeSmallJson(path.join(dataFolder, FILE), { version: VERSION, ...found });
}
