/** Small files of the data folder that may be lost: read whole or not at all, written whole or not at all. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import * as v from 'valibot';

/** null: there is none, or it is damaged or from elsewhere. */
export function readSmallJson<T>(file: string, schema: v.GenericSchema<unknown, T>): T | null {
  try {
    const parsed = v.safeParse(schema, JSON.parse(readFileSync(file, 'utf8')));
    return parsed.success ? parsed.output : null;
  } catch {
    return null;
  }
}

/** Makes the folder where it is missing. Throws where it cannot be written. */
export function writeWhole(file: string, content: string | Uint8Array): void {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(`${file}.new`, content);
  renameSync(`${file}.new`, file);
}

/** As people can read it. */
export function writeSmallJson(file: string, content: object): void {
  writeWhole(file, JSON.stringify(content, null, 1));
}
