/**
 * Reads little-endian fields from the part of a file's head that is in memory. Every read is checked against the file's size
 * first (`gguf.truncated`), then against the window: `WindowTooSmall` asks the caller for more bytes and another try.
 */
import { engineError } from '../errors.ts';
import { LIMITS } from './limits.ts';

/** Private to this folder: the header goes on behind the window. */
export class WindowTooSmall extends Error {
  readonly neededBytes: number;
  constructor(neededBytes: number) {
    super('header window too small');
    this.neededBytes = neededBytes;
  }
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export class Cursor {
  readonly fileName: string;
  readonly fileBytes: number;
  readonly window: Uint8Array;
  private readonly view: DataView;
  private at = 0;

  constructor(fileName: string, fileBytes: number, window: Uint8Array) {
    this.fileName = fileName;
    this.fileBytes = fileBytes;
    this.window = window;
    this.view = new DataView(window.buffer, window.byteOffset, window.byteLength);
  }

  get offsetBytes(): number {
    return this.at;
  }

  get remainingFileBytes(): number {
    return this.fileBytes - this.at;
  }

  /** Moves over `lengthBytes` bytes and returns where they start in the window. */
  take(lengthBytes: number, field: string): number {
    const from = this.at;
    const end = from + lengthBytes;
    if (end > this.fileBytes) {
      throw engineError(
        'gguf.truncated',
        `${this.fileName} ends inside "${field}": ${lengthBytes} bytes expected at byte ${from}, the file has ${this.fileBytes}. ` +
          'The download may be incomplete; get the file again.',
        { field, offsetBytes: from, lengthBytes, fileBytes: this.fileBytes },
      );
    }
    if (end > LIMITS.headerBytes) {
      throw this.fieldError(field, from, `the header goes on past ${LIMITS.headerBytes} bytes, which no model needs`);
    }
    if (end > this.window.length) throw new WindowTooSmall(end);
    this.at = end;
    return from;
  }

  u8(field: string): number {
    return this.view.getUint8(this.take(1, field));
  }

  u32(field: string): number {
    return this.view.getUint32(this.take(4, field), true);
  }

  u64(field: string): bigint {
    return this.view.getBigUint64(this.take(8, field), true);
  }

  /** A u64 that counts or measures something: at most `limit`. */
  count(field: string, limit: number): number {
    const from = this.at;
    const value = this.u64(field);
    if (value > BigInt(limit)) throw this.fieldError(field, from, `is ${value}, at most ${limit} is allowed`, String(value));
    return Number(value);
  }

  /** The bytes of a length-prefixed string, in the window. */
  stringBytes(field: string, limitBytes: number): Uint8Array {
    const lengthBytes = this.count(`${field}, its length`, limitBytes);
    const from = this.take(lengthBytes, field);
    return this.window.subarray(from, from + lengthBytes);
  }

  string(field: string, limitBytes: number): string {
    const from = this.at;
    const bytes = this.stringBytes(field, limitBytes);
    try {
      return strictUtf8.decode(bytes);
    } catch (cause) {
      throw engineError(
        'gguf.utf8',
        `${this.fileName}: "${field}" at byte ${from} is not valid UTF-8. The file is damaged or not a model.`,
        { field, offsetBytes: from },
        cause,
      );
    }
  }

  numbers(): DataView {
    return this.view;
  }

  fieldError(field: string, offsetBytes: number, problem: string, found: string | number | null = null) {
    return engineError('gguf.field', `${this.fileName}: "${field}" at byte ${offsetBytes} ${problem}.`, {
      field,
      offsetBytes,
      found,
    });
  }
}
