/** How well the evidence tells right answers from wrong ones, on a corpus's questions: the right value, and that of another question of its kind. */
import { checkAnswer } from '../../main/documents/evidence.ts';
import type { CorpusQuestion } from './corpus.ts';
import { isFound, type IndexedCorpus } from './index-corpus.ts';

export interface AnswerSupport {
  /** Questions whose passage was found. */
  readonly questions: number;
  /** Right answers that are supported, and those whose quote is the very sentence. */
  readonly right: number;
  readonly quoted: number;
  /** Wrong answers that pass as supported. */
  readonly wrong: number;
}

export function answerSupport({ retriever, collectionId }: IndexedCorpus, questions: readonly CorpusQuestion[]): AnswerSupport {
  const support = { questions: 0, right: 0, quoted: 0, wrong: 0 };
  const kindOf = ({ direct }: CorpusQuestion) => direct.split(' the ')[0];
  for (const question of questions) {
    const passages = retriever.retrieve(collectionId, question.direct, 5);
    const cited = passages.findIndex((passage) => isFound(question, [passage])) + 1;
    const other = questions.find((candidate) => kindOf(candidate) === kindOf(question) && candidate.answer !== question.answer);
    if (cited === 0 || !other) continue;
    const check = (answer: string) =>
      checkAnswer(`${answer[0].toUpperCase()}${answer.slice(1)} [${cited}].`, question.direct, passages).evidence;
    support.questions++;
    const right = check(question.answer);
    if (right.verdict === 'supported') support.right++;
    if (right.quote?.text === question.sentence) support.quoted++;
    if (check(other.answer).verdict === 'supported') support.wrong++;
  }
  return support;
}
