/** The `ar` archive that a .deb is: a magic line, then members with a 60-byte header each, padded to even lengths. */
import { createReadStream, createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { invariant } from '../../../gpu/invariant.ts';

export interface ArMember {
  readonly name: string;
  readonly content: Buffer | { readonly file: string };
}

export async function writeAr(file: string, members: readonly ArMember[], modifiedSeconds: number): Promise<void> {
  await pipeline(async function* () {
    yield Buffer.from('!<arch>\n');
    for (const { name, content } of members) {
      const sizeBytes = Buffer.isBuffer(content) ? content.length : (await stat(content.file)).size;
      yield header(name, sizeBytes, modifiedSeconds);
      if (Buffer.isBuffer(content)) yield content;
      else yield* createReadStream(content.file, { highWaterMark: 1 << 20 });
      if (sizeBytes % 2 === 1) yield Buffer.from('\n');
    }
  }, createWriteStream(file));
}

function header(name: string, sizeBytes: number, modifiedSeconds: number): Buffer {
  invariant(name.length <= 16, `ar member ${name}`);
  const fields = [name.padEnd(16), String(modifiedSeconds).padEnd(12), '0'.padEnd(6), '0'.padEnd(6), '100644'.padEnd(8)];
  return Buffer.from(`${fields.join('')}${String(sizeBytes).padEnd(10)}\`\n`);
}
