/** What the starter model knows: the app, sums, facts, and what it must not answer. */
import { holdsFloors } from './floors.ts';

holdsFloors([
  ['guide', 43],
  ['sums-2', 42],
  ['sums-3', 44],
  ['facts', 46],
  ['refusal', 39],
  ['in-scope', 48],
]);
