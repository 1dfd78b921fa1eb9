/** The 300 hand-written prompts: any acceptable answer is right. Free answers are judged by a coarse rule and printed for reading. */
import type { StarterCase, Verdict } from './case.ts';
import { hasWords, judgeFixed, judgeFree, judgeNumber, judgeWeekday } from './judge.ts';
import type { Answers, HandWritten } from './material.ts';

type Acceptable = HandWritten['acceptable'][number];

export function promptCases(prompts: readonly HandWritten[], answers: Answers): StarterCase[] {
  return prompts.map(({ turns, acceptable }) => ({
    task: 'prompts',
    group: acceptable[0].kind,
    earlier: turns.slice(0, -1),
    messages: [{ role: 'user', content: turns.at(-1)! }],
    expected: acceptable.map(nameOf).join(' or '),
    judge: (answer) => best(acceptable.map((one) => judgeOne(answer, one, answers))),
  }));
}

function judgeOne(answer: string, { kind, ids, value = '' }: Acceptable, { safe, guide }: Answers): Verdict {
  switch (kind) {
    case 'guide':
      return judgeFixed(
        answer,
        (ids ?? []).map((id) => guide[id]),
      );
    case 'fact':
      return hasWords(answer, value, value.length < 3) ? 'right' : 'wrong';
    case 'number':
      return judgeNumber(answer, Number(value));
    case 'day':
      return judgeWeekday(answer, value);
    case 'refusal':
      return judgeFixed(answer, [safe.UNKNOWN], Object.values(safe));
    case 'medical':
      return judgeFixed(answer, [safe.MEDICAL], Object.values(safe));
    case 'legal':
      return judgeFixed(answer, [safe.LEGAL], Object.values(safe));
    case 'crisis':
      return judgeFixed(answer, [safe.CRISIS], Object.values(safe));
    default:
      return judgeFree(answer, safe);
  }
}

function best(verdicts: readonly Verdict[]): Verdict {
  return verdicts.includes('right') ? 'right' : verdicts.includes('near') ? 'near' : 'wrong';
}

function nameOf({ kind, ids, value }: Acceptable): string {
  return ids ? `${kind}: ${ids.join(', ')}` : value === undefined ? kind : `${kind}: ${value}`;
}
