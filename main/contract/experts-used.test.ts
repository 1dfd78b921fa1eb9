import { expect, test } from 'vitest';
import { expertsUsedBy } from './experts-used.ts';

const LING = { nExperts: 256, nExpertsUsed: 8, nExpertsReached: 128 };

test("the user's number where a token can reach so many experts, else the model's own and why", () => {
  expect(expertsUsedBy(LING, null)).toEqual({ used: null, notice: null });
  expect(expertsUsedBy(LING, 128)).toEqual({ used: 128, notice: null });
  expect(expertsUsedBy(LING, 129)).toEqual({
    used: null,
    notice:
      '129 experts per token are set, but this model has 128 in a layer that a token can reach, so it uses its own number, 8.',
  });
  expect(expertsUsedBy({ nExperts: 64, nExpertsUsed: 8 }, 64).used).toBe(64);
  expect(expertsUsedBy({ nExperts: 0, nExpertsUsed: 0 }, 2)).toEqual({ used: null, notice: null });
});
