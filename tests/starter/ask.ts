/** Asks a model one case: earlier questions first, which it answers itself, then the question that counts. */
import type { ChatMessage } from '../../gpu/tokenizer/types.ts';
import type { Answerer } from './answerer.ts';
import type { StarterCase, Verdict } from './case.ts';

/** Longer than any right answer (the longest of the guide has about 50 words). */
const MAX_ANSWER_TOKENS = 120;

export interface Asked {
  readonly starterCase: StarterCase;
  readonly verdict: Verdict;
  readonly answer: string;
  /** Prompt and answer. */
  readonly ids: readonly number[];
}

export async function askCase(model: Answerer, starterCase: StarterCase): Promise<Asked> {
  const history: ChatMessage[] = [];
  for (const question of starterCase.earlier) {
    history.push({ role: 'user', content: question });
    const { text } = await model.answer(history, MAX_ANSWER_TOKENS);
    history.push({ role: 'assistant', content: text });
  }
  const { text, ids } = await model.answer([...history, ...starterCase.messages], MAX_ANSWER_TOKENS);
  return { starterCase, verdict: starterCase.judge(text), answer: text, ids };
}
