/** What the starter model reads: passages that hold the answer, and passages that do not. */
import { holdsFloors } from './floors.ts';

holdsFloors([
  ['reading-present', 42],
  ['reading-absent', 44],
]);
