/** What the starter model knows: the app, sums, facts, and what it must not answer. */
import { holdsFloors } from './floors.ts';

holdsFloors([
  ['guide', 38],
  ['sums-2', 39],
  ['sums-3', 42],
  ['facts', 40],
  ['refusal', 38],
  ['in-scope', 48],
]);
