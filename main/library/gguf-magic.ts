/** How a GGUF file begins, told while it is still on its way. */
const MAGIC = [0x47, 0x47, 0x55, 0x46]; // GGUF

/** False when `piece`, which begins at byte `atByte` of a file, shows that the file is no GGUF file. Bytes before it are not known here. */
export function mayBeGguf(piece: Uint8Array, atByte: number): boolean {
  return MAGIC.every((byte, at) => at < atByte || at - atByte >= piece.length || piece[at - atByte] === byte);
}
