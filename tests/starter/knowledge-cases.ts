/** What has one right answer: the guide to the app, the tables of facts, and what is out of scope. */
import { ABSENT_ANSWER } from '../../main/chat/document-prompt.ts';
import { plainCase, type StarterCase } from './case.ts';
import { Chance } from './chance.ts';
import { judgeFact, judgeFixed } from './judge.ts';
import { MadeUp } from './made-up.ts';
import type { Answers, Fact, FactFrames, GuideQuestions, Refusals } from './material.ts';

export function guideCases(questions: GuideQuestions, answers: Answers, n: number, seed: number): StarterCase[] {
  const all = Object.entries(questions).flatMap(([intent, list]) =>
    list.map(({ text, ids }) => {
      const right = ids.map((id) => answers.guide[id]);
      const judge = (answer: string) => judgeFixed(answer, right);
      return plainCase({ task: 'guide', group: intent, question: text, expected: right[0], judge });
    }),
  );
  return new Chance(seed, 'guide').sample(all, n);
}

/** Relations by turns, so that a table with many rows does not outweigh the others. */
export function factCases(facts: readonly Fact[], frames: FactFrames, answers: Answers, n: number, seed: number): StarterCase[] {
  const c = new Chance(seed, 'facts');
  const safe = Object.values(answers.safe);
  const queues = Object.keys(frames).map((relation) =>
    c.shuffle(
      facts.filter((fact) => fact.relation === relation).flatMap((fact) => frames[relation].map((frame) => ({ fact, frame }))),
    ),
  );
  const cases: StarterCase[] = [];
  while (cases.length < n && queues.some((queue) => queue.length > 0))
    for (const queue of queues) {
      const next = queue.pop();
      if (!next || cases.length >= n) continue;
      const { relation, key } = next.fact;
      const values = valuesOf(facts, relation, key);
      const judge = (answer: string) => judgeFact(answer, relation, key, values, safe);
      const question = next.frame.replaceAll('{k}', key);
      cases.push(plainCase({ task: 'facts', group: relation, question, expected: values.join(' or '), judge }));
    }
  return cases;
}

/** A word may have several opposites, and what is someone's opposite has that one as its own. */
function valuesOf(facts: readonly Fact[], relation: string, key: string): string[] {
  const same = facts.filter((fact) => fact.relation === relation);
  const forward = same.filter((fact) => fact.key === key).map(({ value }) => value);
  const back = relation === 'opposite' ? same.filter(({ value }) => value === key).map((fact) => fact.key) : [];
  return [...new Set([...forward, ...back])];
}

const SAFETY_KINDS = ['medical', 'legal', 'self-harm'];

/** Hand-written prompts first, then as many from frames, where there are any, as `n` asks for. */
export function refusalCases(
  refusals: Refusals,
  facts: readonly Fact[],
  answers: Answers,
  n: number,
  seed: number,
): StarterCase[] {
  const c = new Chance(seed, 'refusal');
  const written = c.shuffle(writtenCases(refusals, answers, (kind) => !SAFETY_KINDS.includes(kind)));
  const cases = written.slice(0, n);
  const madeUp = new MadeUp(c);
  const kinds = Object.entries(refusals.frames).filter(([, frames]) => frames.length > 0);
  for (let i = 0; cases.length < n && kinds.length > 0; i++) {
    const [kind, frames] = kinds[i % kinds.length];
    const frame = c.pick(frames);
    const x = frame.table ? c.pick(keysOf(facts, frame.table)) : nameOf(frame.name ?? '', madeUp);
    const question = c.pick(frame.texts).replaceAll('{x}', x);
    cases.push(safeCase('refusal', `${kind} (frames)`, question, answers.safe.UNKNOWN, [], answers));
  }
  return cases;
}

/** Medical, legal, self-harm: each its own answer; another safe answer is near. */
export function safetyCases(refusals: Refusals, answers: Answers): StarterCase[] {
  return writtenCases(refusals, answers, (kind) => SAFETY_KINDS.includes(kind));
}

/** Cases of other tasks, judged only by whether they are refused. */
export function inScopeCases(cases: readonly StarterCase[], answers: Answers): StarterCase[] {
  const refusals = [...Object.values(answers.safe), ABSENT_ANSWER];
  return cases.map((one) => ({
    ...one,
    task: 'in-scope',
    group: one.task,
    judge: (answer) => (refusals.some((text) => answer.includes(text)) ? 'wrong' : 'right'),
  }));
}

function writtenCases(refusals: Refusals, answers: Answers, wanted: (kind: string) => boolean): StarterCase[] {
  return Object.entries(refusals.kinds)
    .filter(([kind]) => wanted(kind))
    .flatMap(([kind, { safe, ids, prompts }]) =>
      prompts.map((prompt) => {
        const guide = [...ids, ...(prompt.ids ?? [])].map((id) => answers.guide[id]);
        const task = SAFETY_KINDS.includes(kind) ? 'safety' : 'refusal';
        return safeCase(task, kind, prompt.text, answers.safe[safe], guide, answers);
      }),
    );
}

function safeCase(
  task: 'refusal' | 'safety',
  group: string,
  question: string,
  right: string,
  alsoRight: readonly string[],
  answers: Answers,
): StarterCase {
  const judge = (answer: string) => judgeFixed(answer, [right, ...alsoRight], Object.values(answers.safe));
  return plainCase({ task, group, question, expected: right, judge });
}

function nameOf(kind: string, madeUp: MadeUp): string {
  if (kind === 'animal' || kind === 'element') return kind === 'element' ? `${madeUp.word()}ium` : madeUp.word();
  if (kind === 'title') return `The ${madeUp.name()} of ${madeUp.name()}`;
  return kind === 'person' ? madeUp.person() : madeUp.name();
}

function keysOf(facts: readonly Fact[], table: string): string[] {
  const relation = { country: 'capital', element: 'symbol', animal: 'young', author: 'author' }[table];
  return facts.filter((fact) => fact.relation === relation).map(({ key }) => key);
}
