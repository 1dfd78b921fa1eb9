/** `router-matvec` without a device. */
import { expect, test } from 'vitest';
import { SNAPSHOT_VARIANT } from '../case-variant.ts';
import { routedLayout, routerMatvecKernel } from './router-matvec.ts';

test('the shared hidden row starts at a vec4 behind the gate logit, scores behind it', () => {
  expect(routedLayout(8, 64)).toEqual({ gateLogit: 8, sharedHidden: 12, scores: 76, length: 76 });
  expect(routedLayout(7, 0)).toEqual({ gateLogit: 7, sharedHidden: 8, scores: 8, length: 8 });
  expect(routedLayout(8, 64, 'sigmoid')).toEqual({ gateLogit: 8, sharedHidden: 12, scores: 76, length: 84 });
});

test('WGSL with a shared expert', async () => {
  const shared = {
    width: 32,
    gate: { type: 'Q4_0', baseVec4: 0 },
    up: { type: 'Q4_0', baseVec4: 80 },
    outputGate: { type: 'F32', baseVec4: 160 },
  } as const;
  const shape = { type: 'F32', nExperts: 4, modelWidth: 64, norm: 8, epsilon: 1e-6, shared } as const;
  const { program, grid } = routerMatvecKernel(shape, SNAPSHOT_VARIANT);
  expect(grid).toEqual([3, 1, 1]); // 1 + 16 + 1 blocks, 8 workers a workgroup
  await expect(program.code).toMatchFileSnapshot('router-matvec.snap.wgsl');
});
