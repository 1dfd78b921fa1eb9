/** Bytes of a text file → text: UTF-8, UTF-16 (by its mark, or by its zeros), else Windows-1252, which is how Latin-1 is written in practice. */
import { serviceError } from '../../contract/errors.ts';
import { cleanText } from '../parsed-document.ts';

/** Enough to tell a binary file. */
const SAMPLE_BYTES = 4096;

/** Throws `document.damaged` for what is no text. */
export function decodeText(bytes: Uint8Array): string {
  return cleanText(decoded(bytes));
}

function decoded(bytes: Uint8Array): string {
  const utf16 = utf16Of(bytes);
  if (utf16 !== null) return new TextDecoder(utf16).decode(bytes);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder('windows-1252').decode(bytes);
  }
}

function utf16Of(bytes: Uint8Array): 'utf-16le' | 'utf-16be' | null {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be';
  const sample = bytes.subarray(0, SAMPLE_BYTES);
  const zeros = [0, 0];
  sample.forEach((byte, i) => (zeros[i & 1] += byte === 0 ? 1 : 0));
  if (zeros[0] + zeros[1] > 0) {
    const half = sample.length / 2;
    if (zeros[1] > 0.4 * half && zeros[0] < 0.05 * half) return 'utf-16le';
    if (zeros[0] > 0.4 * half && zeros[1] < 0.05 * half) return 'utf-16be';
    throw serviceError('document.damaged', 'It is no text file: it holds binary data.');
  }
  return null;
}
