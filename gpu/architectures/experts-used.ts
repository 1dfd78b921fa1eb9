/** K, the experts that work on a token: the model's own number, or the one asked for instead. */
import { engineError } from '../errors.ts';
import type { ModelSpec, MoeSpec } from './types.ts';

/** Per layer of the model, 0 for dense ones. Throws `model.metadata` where a token cannot reach as many experts of a layer as are asked for. */
export function expertsUsed({ layers }: Pick<ModelSpec, 'layers'>, wanted?: number): readonly number[] {
  return layers.map(({ ffn, index }) => {
    if (ffn.kind === 'dense') return 0;
    if (wanted === undefined) return ffn.moe.nExpertsUsed;
    const most = mostExpertsUsed(ffn.moe);
    if (Number.isInteger(wanted) && wanted >= 1 && wanted <= most) return wanted;
    throw engineError(
      'model.metadata',
      `${wanted} experts per token were asked for; layer ${index} has ${most} that a token can reach. Choose 1 to ${most}.`,
      { found: wanted, least: 1, most },
    );
  });
}

/** All experts of a layer, or those of as many groups as a token can reach. */
function mostExpertsUsed({ nExperts, groups }: MoeSpec): number {
  return groups ? (nExperts / groups.count) * groups.used : nExperts;
}
