/** Reads Electron's fuses back from an executable: after a fixed mark come a version byte, the number of fuses and one digit each. */
import { readFileSync } from 'node:fs';

const MARK = 'dL7pKGdnNz796PbbjQWNKmHXBZaB9tsX';

/** One character per fuse in the wire's order: `1` on, `0` off, `r` removed. */
export function fusesOf(executable: string): string {
  const bytes = readFileSync(executable);
  const at = bytes.indexOf(MARK);
  if (at < 0) throw new Error(`${executable} has no fuses`);
  const start = at + MARK.length;
  return bytes.toString('latin1', start + 2, start + 2 + bytes[start + 1]);
}
