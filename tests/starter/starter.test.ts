/** What the starter model knows: the app, sums, facts, and what it must not answer. */
import { holdsFloors } from './floors.ts';

holdsFloors([
  ['guide', 46],
  ['sums-2', 47],
  ['sums-3', 47],
  ['facts', 46],
  ['refusal', 42],
  ['in-scope', 48],
]);
