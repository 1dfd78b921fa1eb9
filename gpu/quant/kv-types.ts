/** The number types of the KV cache. */
export const KV_TYPES = ['f16', 'q8_0', 'f32'] as const;
export type KvType = (typeof KV_TYPES)[number];

/** q8_0 scales so many numbers together; a head is made of whole blocks. */
export const KV_BLOCK = 32;

/** Bytes of a number; q8_0 adds a scale of two bytes to each block. */
export const KV_NUMBER_BYTES: Readonly<Record<KvType, number>> = { q8_0: (KV_BLOCK + 2) / KV_BLOCK, f16: 2, f32: 4 };

/** Whether heads of that width can be kept so. */
export function fitsKv(type: KvType, headWidth: number): boolean {
  return type !== 'q8_0' || headWidth % KV_BLOCK === 0;
}
