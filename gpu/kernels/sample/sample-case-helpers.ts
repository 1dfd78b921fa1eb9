/** What the case tables of `sample` and `sample-greedy` share: groups of given logits, and the step that is committed. */
import type { CaseBinding, CaseRandom } from '../cases.ts';
import { GROUP_ROWS } from '../head-matvec/head-matvec.ts';
import { logitGroupsRef } from '../head-matvec/head-matvec.ref.ts';
import { ringEntryWords } from '../sample-greedy/sample-greedy.ts';

export const NO_MISS = 0xffffffff;
/** Position of the token that was fed; the sampled one comes after it. */
export const POSITION = 41;

/** Groups as `head-matvec` leaves them for these logits. */
export function caseGroups(logits: Float32Array, temperature: number): Uint32Array<ArrayBuffer> {
  const groups = logitGroupsRef(logits, GROUP_ROWS, temperature);
  const words = new Uint32Array(4 * groups.argmax.length);
  const floats = new Float32Array(words.buffer);
  groups.argmax.forEach((id, i) => {
    floats[4 * i] = groups.max[i];
    words[4 * i + 1] = id;
    floats[4 * i + 2] = groups.sumOfExp[i];
  });
  return words;
}

export interface CommittedStep {
  readonly id: number;
  readonly miss: number;
  readonly recordsAt: number;
  readonly recordWords: number;
}

/** Expert rows with a random record, and the state and ring entry that committing `id` must leave. */
export function stepBindings(random: CaseRandom, { id, miss, recordsAt, recordWords }: CommittedStep) {
  const record = Uint32Array.from({ length: recordWords }, () => random.integer(512));
  const expertRows = new Uint32Array(recordsAt + recordWords + 1);
  expertRows.set(record, recordsAt);
  const ringWords = new Uint32Array(ringEntryWords(recordWords));
  ringWords.set([miss === NO_MISS ? id : 0xffffffff, POSITION + 1, miss, 0]);
  record.forEach((expert, i) => (ringWords[4 + (i >> 1)] |= expert << (16 * (i & 1))));
  const before = Uint32Array.of(POSITION, 77, miss, 5);
  const after = miss === NO_MISS ? Uint32Array.of(POSITION + 1, id, NO_MISS, 6) : before;
  return {
    expertRows: { input: expertRows } satisfies CaseBinding,
    state: { initial: before, expected: { type: 'u32', values: after } } satisfies CaseBinding,
    ring: { expected: { type: 'u32', values: ringWords } } satisfies CaseBinding,
  };
}
