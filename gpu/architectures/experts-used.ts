/** K, the experts that work on a token: the model's own number, or the one asked for instead. */
import { engineError } from '../errors.ts';
import type { ModelSpec } from './types.ts';

/** Per layer of the model, 0 for dense ones. Throws `model.metadata` where a layer has not as many experts as are asked for. */
export function expertsUsed({ layers }: Pick<ModelSpec, 'layers'>, wanted?: number): readonly number[] {
  return layers.map(({ ffn, index }) => {
    if (ffn.kind === 'dense') return 0;
    const { nExperts, nExpertsUsed } = ffn.moe;
    if (wanted === undefined) return nExpertsUsed;
    if (Number.isInteger(wanted) && wanted >= 1 && wanted <= nExperts) return wanted;
    throw engineError(
      'model.metadata',
      `${wanted} experts per token were asked for; layer ${index} has ${nExperts}. Choose 1 to ${nExperts}.`,
      { found: wanted, least: 1, most: nExperts },
    );
  });
}
