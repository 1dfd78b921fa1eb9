import { expect, it } from 'vitest';
import { kvChoices } from './kv-choices.ts';

it('says what each type takes for a thousand tokens, whatever the loaded one is', () => {
  const bytesPerNumber = { q8_0: 34 / 32, f16: 2, f32: 4 };
  const numbersPerToken = 2 * 48 * 4 * 128;
  for (const kvType of ['q8_0', 'f16', 'f32'] as const) {
    const kvBytes = 4096 * numbersPerToken * bytesPerNumber[kvType];
    expect(kvChoices({ contextTokens: 4096, kvType, gpu: { kvBytes } })).toEqual([
      { value: 'q8_0', label: '8-bit', detail: '49.8 MiB' },
      { value: 'f16', label: '16-bit', detail: '93.8 MiB' },
      { value: 'f32', label: '32-bit', detail: '188 MiB' },
    ]);
  }
});

it('says nothing of memory before a plan is known', () => {
  expect(kvChoices(null).map(({ detail }) => detail)).toEqual([undefined, undefined, undefined]);
});
