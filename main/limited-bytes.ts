/** Reads what a stranger sends, never more than a limit. */
export async function limitedBytes(body: AsyncIterable<Uint8Array>, maxBytes: number, tooLong: () => Error): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const piece of body) {
    sizeBytes += piece.byteLength;
    if (sizeBytes > maxBytes) throw tooLong();
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}
