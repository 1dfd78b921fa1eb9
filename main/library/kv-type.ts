/** How keys and values are kept: the user's type where the model's heads can be kept so, else 16-bit, with the reason. */
import { fitsKv, KV_BLOCK, type KvType } from '../../gpu/quant/kv-types.ts';

export function kvTypeFor(headWidth: number, wanted: KvType): { readonly kvType: KvType; readonly notice: string | null } {
  if (fitsKv(wanted, headWidth)) return { kvType: wanted, notice: null };
  const notice = `Keys and values of 8 bits need heads of a multiple of ${KV_BLOCK} numbers; this model's have ${headWidth}, so it keeps them in 16 bits.`;
  return { kvType: 'f16', notice };
}
