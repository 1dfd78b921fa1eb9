/** What the starter model knows: the app, sums, facts, and what it must not answer. */
import { holdsFloors } from './floors.ts';

holdsFloors([
  ['guide', 46],
  ['sums-2', 48],
  ['sums-3', 47],
  ['facts', 45],
  ['refusal', 43],
  ['in-scope', 48],
]);
