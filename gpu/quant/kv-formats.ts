/**
 * How the KV cache holds rows of one head's keys or values `[Hd]`: where the bytes of row r lie, and the CPU codec. q8_0 has ggml's
 * blocks of 32 (quant/q8-0.ts) along the row, its numbers in one plane and its scales in another; two scales make a word, so that
 * no two rows share one.
 */
import { engineError } from '../errors.ts';
import { invariant } from '../invariant.ts';
import { f16ToF32, f32ToF16, readU16 } from './half.ts';
import { fitsKv, KV_BLOCK as BLOCK, type KvType } from './kv-types.ts';
import { q80Format } from './q8-0.ts';

export interface KvPlane {
  readonly offsetBytes: number;
  /** Row r starts at offsetBytes + r · rowBytes; a multiple of 4. */
  readonly rowBytes: number;
}

export interface KvLayout {
  readonly planes: readonly KvPlane[];
  /** A multiple of 16: some kernels read whole vec4. */
  readonly sizeBytes: number;
}

/** The largest finite f16. Greater numbers are stored as this, and greater scales. */
const F16_MAX = 65504;

const ROW_BYTES: Readonly<Record<KvType, (headWidth: number) => number[]>> = {
  f16: (headWidth) => [2 * headWidth],
  q8_0: (headWidth) => [headWidth, 4 * Math.ceil(headWidth / (2 * BLOCK))],
  f32: (headWidth) => [4 * headWidth],
};

/** Of `nRows` rows. Throws `engine.kv-type` where heads of that width cannot be stored so. */
export function kvLayout(type: KvType, headWidth: number, nRows: number): KvLayout {
  if (!fitsKv(type, headWidth))
    throw engineError(
      'engine.kv-type',
      `The model's heads are ${headWidth} numbers wide, but q8_0 keeps keys and values in blocks of ${BLOCK}. Choose f16 or f32 for them.`,
      { kvType: type, headWidth, blockWidth: BLOCK },
    );
  invariant(headWidth % 2 === 0, `head width ${headWidth}`);
  let end = 0;
  const planes = ROW_BYTES[type](headWidth).map((rowBytes) => {
    const offsetBytes = end;
    end += nRows * rowBytes;
    return { offsetBytes, rowBytes };
  });
  return { planes, sizeBytes: Math.ceil(end / 16) * 16 };
}

/** `rows [nRows, Hd]`, taken as f32 first → the bytes of a cache that holds these rows alone. */
export function encodeKv(type: KvType, headWidth: number, rows: ArrayLike<number>): Uint8Array<ArrayBuffer> {
  const nRows = rows.length / headWidth;
  const { planes, sizeBytes } = kvLayout(type, headWidth, nRows);
  const bytes = new Uint8Array(sizeBytes);
  if (type === 'f32') new Float32Array(bytes.buffer).set(rows);
  else if (type === 'f16') new Uint16Array(bytes.buffer).set(Uint16Array.from(rows, (x) => f32ToF16(within(x, F16_MAX))));
  else {
    const blocks = new Uint8Array((rows.length / BLOCK) * q80Format.blockBytes);
    q80Format.quantise!(
      Float32Array.from(rows, (x) => within(x, F16_MAX * 127)),
      blocks,
    );
    forEachBlock(headWidth, nRows, planes, (block, numbersAt, scaleAt) => {
      const at = block * q80Format.blockBytes;
      bytes.set(blocks.subarray(at, at + 2), scaleAt);
      bytes.set(blocks.subarray(at + 2, at + q80Format.blockBytes), numbersAt);
    });
  }
  return bytes;
}

/** The numbers `[nRows, Hd]` that kernels read from such bytes. */
export function decodeKv(type: KvType, headWidth: number, nRows: number, bytes: Uint8Array): Float64Array<ArrayBuffer> {
  const { planes, sizeBytes } = kvLayout(type, headWidth, nRows);
  invariant(bytes.length >= sizeBytes, `${bytes.length} bytes are not ${nRows} rows of ${headWidth} numbers as ${type}`);
  const { buffer } = bytes.slice(0, sizeBytes);
  const length = nRows * headWidth;
  if (type === 'f32') return Float64Array.from(new Float32Array(buffer, 0, length));
  if (type === 'f16') return Float64Array.from(new Uint16Array(buffer, 0, length), f16ToF32);
  const out = new Float64Array(length);
  const numbers = new Int8Array(buffer);
  forEachBlock(headWidth, nRows, planes, (block, numbersAt, scaleAt) => {
    const scale = f16ToF32(readU16(bytes, scaleAt));
    for (let i = 0; i < BLOCK; i++) out[block * BLOCK + i] = scale * numbers[numbersAt + i];
  });
  return out;
}

/** What later positions read of `row [Hd]`. */
export function roundKv(type: KvType, row: ArrayLike<number>): Float64Array<ArrayBuffer> {
  return decodeKv(type, row.length, 1, encodeKv(type, row.length, row));
}

function forEachBlock(
  headWidth: number,
  nRows: number,
  [numbers, scales]: readonly KvPlane[],
  visit: (block: number, numbersAt: number, scaleAt: number) => void,
): void {
  const perRow = headWidth / BLOCK;
  for (let row = 0; row < nRows; row++)
    for (let i = 0; i < perRow; i++)
      visit(
        row * perRow + i,
        numbers.offsetBytes + row * numbers.rowBytes + i * BLOCK,
        scales.offsetBytes + row * scales.rowBytes + 2 * i,
      );
}

const within = (value: number, most: number) => Math.max(-most, Math.min(most, value));
