/** All cases of an evaluation: `n` of each task (all there are, where there are fewer), and a fifth as many after an earlier turn. */
import { productCases, sumCases, unitCases, weekdayCases } from './arithmetic-cases.ts';
import { afterTurn, TASK_NAMES, type StarterCase, type TaskName } from './case.ts';
import { Chance } from './chance.ts';
import { factCases, guideCases, inScopeCases, refusalCases, safetyCases } from './knowledge-cases.ts';
import {
  FIRST_SET,
  readAnswers,
  readArithmetic,
  readFactFrames,
  readFacts,
  readGuide,
  readHandWritten,
  readPairs,
  readReading,
  readRealTexts,
  readRefusals,
  THIRD_SET,
  type HeldOutSet,
} from './material.ts';
import { promptCases } from './prompt-cases.ts';
import { absentCases, presentCases } from './reading-cases.ts';
import { realTextCases } from './real-text-cases.ts';

export interface Block {
  readonly task: TaskName;
  /** After an earlier turn about something else. */
  readonly secondTurn: boolean;
  readonly cases: readonly StarterCase[];
}

/** Share of second-turn cases, and the tasks that have none: their cases are fixed texts that must stay as they are. */
const SECOND_TURN_SHARE = 0.2;
const FIRST_TURN_ONLY: readonly TaskName[] = ['real-texts', 'prompts', 'in-scope'];

export function buildBlocks(tasks: readonly TaskName[], n: number, seed: number, set = FIRST_SET): Block[] {
  const blocks = tasks.map((task) => ({ task, secondTurn: false, cases: casesOf(task, n, seed, set) }));
  const twoTurns = tasks.filter((task) => !FIRST_TURN_ONLY.includes(task)).map((task) => secondTurnBlock(task, n, seed, set));
  return [...blocks, ...twoTurns].filter(({ cases }) => cases.length > 0);
}

export function isTaskName(name: string): name is TaskName {
  return (TASK_NAMES as readonly string[]).includes(name);
}

export function casesOf(task: TaskName, n: number, seed: number, set = FIRST_SET): StarterCase[] {
  const answers = readAnswers();
  switch (task) {
    case 'guide':
      return guideCases(readGuide(set), answers, n, seed);
    case 'reading-present':
      return presentCases(readReading(set), n, seed);
    case 'reading-absent':
      return absentCases(readReading(set), n, seed);
    case 'real-texts':
      return new Chance(seed, 'real texts').sample(realTextCases(readRealTexts()), n);
    case 'sums-2':
      return sumCases(readArithmetic(set), 2, n, seed, readPairs());
    case 'sums-3':
      return sumCases(readArithmetic(set), 3, n, seed, null);
    case 'products':
      return productCases(readArithmetic(set), n, seed);
    case 'units':
      return unitCases(readArithmetic(set), n, seed);
    case 'weekdays':
      return weekdayCases(readArithmetic(set), n, seed);
    case 'facts':
      return factCases(readFacts(), readFactFrames(set), answers, n, seed);
    case 'refusal':
      return refusalCases(readRefusals(set), readFacts(), answers, n, seed);
    case 'safety':
      return new Chance(seed, 'safety').sample(safetyCases(readRefusals(set), answers), n);
    case 'in-scope':
      return inScopeCases(inScope(n, seed, set), answers);
    case 'prompts':
      return new Chance(seed, 'prompts').sample(promptCases(readHandWritten(), answers), n);
  }
}

/** Another draw than that of the tasks themselves: mostly the guide, facts and sums, which a refusal would hurt most. */
function inScope(n: number, seed: number, set: HeldOutSet): StarterCase[] {
  const tasks: readonly TaskName[] = ['guide', 'facts', 'sums-2', 'weekdays', 'units'];
  return tasks.flatMap((task) => casesOf(task, Math.ceil(n / tasks.length), seed + 1, set)).slice(0, n);
}

function secondTurnBlock(task: TaskName, n: number, seed: number, set: HeldOutSet): Block {
  const answers = readAnswers();
  const c = new Chance(seed, `second turn ${task}`);
  // The third set has passages alone: the turn before them is one of the first.
  const questions = Object.values(readGuide(set.folder === THIRD_SET.folder ? FIRST_SET : set)).flat();
  const cases = casesOf(task, Math.ceil(n * SECOND_TURN_SHARE), seed + 2, set).map((one) => {
    const before = c.pick(questions);
    return afterTurn(one, [before.text, answers.guide[before.ids[0]]]);
  });
  return { task, secondTurn: true, cases };
}
