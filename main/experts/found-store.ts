/**
 * Budgets and machine as the last load with a plan found them, in one small file of the data folder: so that the Library can say from the start what
 * would run and how fast. A file that is damaged or from elsewhere counts as none.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import * as v from 'valibot';
import type { Budgets, MachineFigures } from '../../gpu/residency/plan/types.ts';

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
  try {
    const parsed = v.safeParse(schema, JSON.parse(readFileSync(path.join(dataFolder, FILE), 'utf8')));
    return parsed.success ? { budgets: parsed.output.budgets, machine: parsed.output.machine } : null;
  } catch {
    return null;
  }
}

/** Throws where the folder cannot be written. */
export function keepFound(dataFolder: string, found: FoundMachine): void {
  mkdirSync(dataFolder, { recursive: true });
  const file = path.join(dataFolder, FILE);
  writeFileSync(`${file}.new`, JSON.stringify({ version: VERSION, ...found }, null, 1));
  renameSync(`${file}.new`, file); // whole or not at all
}
