/** Fewer and fewer slots, down to none. */
import { expect, test } from 'vitest';
import { tinyModel } from '../../tests/fixtures/tiny-model.ts';
import { readModel } from '../architectures/read-model.ts';
import { memorySource } from '../gguf/memory-source.ts';
import { openGguf } from '../gguf/read.ts';
import { fewerSlots } from './fewer-slots.ts';
import { allResident, type ResidencyPlan } from './types.ts';

test('a quarter less each time, streamed below K, null at the end', async () => {
  const model = readModel(
    await openGguf(memorySource('tiny.gguf', tinyModel({ architecture: 'mixtral', type: 'Q4_0', seed: 1 }))),
  );
  const slots: string[] = [];
  let plan: ResidencyPlan | null = allResident(2);
  while ((plan = fewerSlots(plan, model, [2, 2]))) {
    slots.push(plan.layers.map((layer) => (layer.kind === 'slotted' ? layer.nSlots : layer.kind)).join());
    expect(plan.stagingBytes).toBeGreaterThan(0);
  }
  expect(slots).toEqual(['6,6', '4,4', '3,3', '2,2', 'streamed,streamed']);
});
