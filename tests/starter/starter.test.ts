/** What the starter model knows: the app, sums, facts, and what it must not answer. */
import { holdsFloors } from './floors.ts';

holdsFloors([
  ['guide', 48],
  ['sums-2', 48],
  ['sums-3', 48],
  ['facts', 46],
  ['refusal', 42],
  ['in-scope', 48],
]);
