/**
 * What a plan for the experts takes, and how its slabs are cut: pure. The loader allocates by it and the planner adds it up, so that both mean
 * the same bytes.
 */
import type { ModelSpec, MoeFfnTensors } from '../architectures/types.ts';
import { invariant } from '../invariant.ts';
import { slabGeometry, type SlabGeometry } from './slab-geometry.ts';
import type { LayerResidency, ResidencyPlan } from './types.ts';

export interface MoeLayerPlan {
  /** Of the model, dense layers counted. */
  readonly layer: number;
  readonly ffn: MoeFfnTensors;
  readonly nUsed: number;
  /** `slotted` with as many slots as experts is `resident`. */
  readonly residency: LayerResidency;
  /** Its own slab; null: streamed. */
  readonly slab: SlabGeometry | null;
  /** How its experts lie in the transit slab; null: resident. */
  readonly transit: SlabGeometry | null;
}

export interface ResidencyFootprint {
  readonly layers: readonly MoeLayerPlan[];
  /** Slabs of resident and slotted layers. */
  readonly slotsBytes: number;
  readonly transitBytes: number;
  readonly transitSlots: number;
  /** The slot table, and the one of prefill where there is a transit slab. */
  readonly tableBytes: number;
}

/** `expertsUsed` per layer of the model, `maxBindingBytes` the lesser of binding and buffer limit. Throws `gpu.limits`. */
export function residencyFootprint(
  model: ModelSpec,
  plan: ResidencyPlan,
  expertsUsed: readonly number[],
  maxBindingBytes: number,
): ResidencyFootprint {
  const moe = model.layers.flatMap(({ index, ffn }) =>
    ffn.kind === 'moe' ? [{ layer: index, ffn, nUsed: expertsUsed[index] }] : [],
  );
  invariant(
    plan.layers.length === moe.length,
    `a plan for ${plan.layers.length} layers; the model has ${moe.length} with experts`,
  );
  const residencies = plan.layers.map((residency, i) => checked(residency, moe[i].ffn.moe.nExperts, moe[i].nUsed));
  const passing = moe.filter((_, i) => residencies[i].kind !== 'resident');
  const mostUsed = Math.max(0, ...passing.map(({ nUsed }) => nUsed));
  const mostExperts = Math.max(0, ...passing.map(({ ffn }) => ffn.moe.nExperts));
  const transitSlots = Math.min(plan.transitSlots ?? 2 * mostUsed, mostExperts);
  invariant(transitSlots >= mostUsed, `${transitSlots} transit slots for ${mostUsed} experts a token`);
  const strideBytes = Math.max(
    0,
    ...passing.map(({ layer, ffn }) => slabGeometry(layer, ffn, 1, maxBindingBytes).slotStrideBytes),
  );
  const layers = moe.map(({ layer, ffn, nUsed }, i): MoeLayerPlan => {
    const residency = residencies[i];
    const nSlots = residency.kind === 'slotted' ? residency.nSlots : ffn.moe.nExperts;
    const slab = residency.kind === 'streamed' ? null : slabGeometry(layer, ffn, nSlots, maxBindingBytes);
    const passes = residency.kind !== 'resident';
    const transit = passes ? slabGeometry(layer, ffn, transitSlots, maxBindingBytes, strideBytes) : null;
    return { layer, ffn, nUsed, residency, slab, transit };
  });
  const bytes = ({ nShards, slotsPerShard, slotStrideBytes }: SlabGeometry) => nShards * slotsPerShard * slotStrideBytes;
  const [transit] = layers.flatMap((layer) => layer.transit ?? []);
  return {
    layers,
    slotsBytes: layers.reduce((sum, { slab }) => sum + (slab ? bytes(slab) : 0), 0),
    transitBytes: transit ? bytes(transit) : 0,
    transitSlots,
    tableBytes: 4 * (moe.length === 0 ? 0 : model.nLayers * moe[0].ffn.moe.nExperts) + (transit ? 4 * mostExperts : 0),
  };
}

function checked(residency: LayerResidency, nExperts: number, nUsed: number): LayerResidency {
  if (residency.kind !== 'slotted') return residency;
  invariant(residency.nSlots >= nUsed, `${residency.nSlots} slots for ${nUsed} experts a token`);
  return residency.nSlots >= nExperts ? { kind: 'resident' } : residency;
}
