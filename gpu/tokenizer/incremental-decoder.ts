/**
 * Ids to text as they come: bytes go through a streaming UTF-8 decoder, which keeps back an unfinished character and turns what can
 * never become one into U+FFFD.
 */
import type { IncrementalDecoder } from './types.ts';

export class StreamDecoder implements IncrementalDecoder {
  private utf8 = new TextDecoder('utf-8', { ignoreBOM: true });
  private readonly bytesOf: (id: number) => Uint8Array;
  /** The next text begins with the tokenizer's own space, which is not part of it. */
  private dropSpace: boolean;

  constructor(bytesOf: (id: number) => Uint8Array, dropSpace: boolean) {
    this.bytesOf = bytesOf;
    this.dropSpace = dropSpace;
  }

  push(id: number): string {
    let bytes = this.bytesOf(id);
    if (this.dropSpace && bytes.length > 0) {
      if (bytes[0] === 0x20) bytes = bytes.subarray(1);
      this.dropSpace = false;
    }
    return this.utf8.decode(bytes, { stream: true });
  }

  flush(): string {
    const rest = this.utf8.decode();
    this.utf8 = new TextDecoder('utf-8', { ignoreBOM: true });
    return rest;
  }
}
