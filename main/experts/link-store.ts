/**
 * Link speeds as measured once per adapter and tensor type, in one small file of the data folder. A file that is damaged or from elsewhere
 * counts as none: measuring again costs two seconds.
 */
import path from 'node:path';
import * as v from 'valibot';
import type { EngineLinks } from '../contract/engine.ts';
import { readSmallJson, writeSmallJson } from './small-file.ts';

const FILE = 'machine.json';
const VERSION = 1;
/** A machine has a handful of adapters, a user a handful of tensor types; the oldest leave. */
const MOST_LINKS = 64;

const rate = v.pipe(v.number(), v.gtValue(0), v.finite());
const schema = v.object({
  version: v.literal(VERSION),
  links: v.pipe(
    v.array(
      v.object({
        adapter: v.string(),
        tensorType: v.string(),
        diskBytesPerSecond: v.nullable(rate),
        uploadBytesPerSecond: rate,
        readbackMs: rate,
        computeBytesPerSecond: rate,
        dispatchMs: rate,
      }),
    ),
    v.maxLength(MOST_LINKS),
  ),
});

export function readLinks(dataFolder: string): readonly EngineLinks[] {
  return readSmallJson(path.join(dataFolder, FILE), schema)?.links ?? [];
}

/** Adds `links`, in place of those of the same adapter and type. Throws where the folder cannot be written. */
export function keepLinks(dataFolder: string, links: EngineLinks): void {
  const others = readLinks(dataFolder).filter(
    ({ adapter, tensorType }) => adapter !== links.adapter || tensorType !== links.tensorType,
  );
  writeSmallJson(path.join(dataFolder, FILE), { version: VERSION, links: [...others, links].slice(-MOST_LINKS) });
}
