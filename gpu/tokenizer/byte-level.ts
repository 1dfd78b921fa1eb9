/**
 * The byte alphabet of byte-level BPE (GPT-2): every byte is written as one printable character, so that merges can be stored
 * as text. Printable Latin-1 stands for itself, the other 68 bytes take U+0100 onwards in order.
 */

/** Character of each byte. */
export const BYTE_CHARACTERS: readonly string[] = makeAlphabet();

const BYTE_OF_CHARACTER: ReadonlyMap<string, number> = new Map(BYTE_CHARACTERS.map((character, byte) => [character, byte]));

function makeAlphabet(): string[] {
  const characters: string[] = [];
  let next = 0x100;
  for (let byte = 0; byte < 256; byte++) {
    const printable = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
    characters.push(String.fromCharCode(printable ? byte : next++));
  }
  return characters;
}

/** The bytes a token of the alphabet stands for; null when a character is not of the alphabet. */
export function bytesOfAlphabetText(text: string): Uint8Array | null {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const byte = BYTE_OF_CHARACTER.get(text[i]);
    if (byte === undefined) return null;
    bytes[i] = byte;
  }
  return bytes;
}

/** Bytes written in the alphabet. */
export function alphabetTextOfBytes(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += BYTE_CHARACTERS[byte];
  return text;
}
