/** The number types of the KV cache. */
export const KV_TYPES = ['f16', 'q8_0', 'f32'] as const;
export type KvType = (typeof KV_TYPES)[number];
