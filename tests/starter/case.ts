/** What one question of the starter model's evaluation is: the conversation up to it, and how its answer is judged. */
import { QUESTION_LABEL } from '../../main/chat/document-prompt.ts';
import type { ChatMessage } from '../../gpu/tokenizer/types.ts';

export const TASK_NAMES = [
  'guide',
  'reading-present',
  'reading-absent',
  'real-texts',
  'sums-2',
  'sums-3',
  'products',
  'units',
  'weekdays',
  'facts',
  'refusal',
  'safety',
  'in-scope',
  'prompts',
] as const;
export type TaskName = (typeof TASK_NAMES)[number];
/** What each held-out set asks: the third has passages alone, texts and prompts by hand are in the first alone. */
export const TASKS_OF_SET: Readonly<Record<'first' | 'second' | 'third', readonly TaskName[]>> = {
  first: TASK_NAMES,
  second: TASK_NAMES.filter((name) => name !== 'real-texts' && name !== 'prompts'),
  third: ['reading-present', 'reading-absent'],
};

/** `near`: not right, but nearly (span right, citation wrong; another safe answer); counted apart. */
export type Verdict = 'right' | 'near' | 'wrong';

export interface StarterCase {
  readonly task: TaskName;
  /** A finer row within the task, such as a relation or a kind of near miss. */
  readonly group: string;
  /** Ends with the question. */
  readonly messages: readonly ChatMessage[];
  /** Earlier questions that the model answers itself, before `messages`. */
  readonly earlier: readonly string[];
  /** What a right answer is, for people. */
  readonly expected: string;
  judge(answer: string): Verdict;
}

/** A question on its own. */
export function plainCase(
  fields: Pick<StarterCase, 'task' | 'group' | 'expected' | 'judge'> & { readonly question: string },
): StarterCase {
  const { question, ...rest } = fields;
  return { ...rest, earlier: [], messages: [{ role: 'user', content: question }] };
}

/** The same case after a turn that is over: `turn` is a question with its answer. */
export function afterTurn(starterCase: StarterCase, turn: readonly [question: string, answer: string]): StarterCase {
  const system = starterCase.messages.filter(({ role }) => role === 'system');
  const rest = starterCase.messages.filter(({ role }) => role !== 'system');
  return {
    ...starterCase,
    messages: [...system, { role: 'user', content: turn[0] }, { role: 'assistant', content: turn[1] }, ...rest],
  };
}

/** The same case with its question all in lower case, as many people type; passages stay as they are. */
export function inLowerCase(starterCase: StarterCase): StarterCase {
  const messages = [...starterCase.messages];
  const last = messages.pop()!;
  const behind = `\n\n${QUESTION_LABEL}`;
  const label = last.content.lastIndexOf(behind);
  const from = label < 0 ? 0 : label + behind.length;
  const content = last.content.slice(0, from) + last.content.slice(from).toLowerCase();
  return { ...starterCase, messages: [...messages, { ...last, content }] };
}
