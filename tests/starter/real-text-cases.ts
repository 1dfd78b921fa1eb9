/** Questions over prose: every second one with a second text beside it, first or last by turns. */
import { documentPrompt } from '../../main/chat/document-prompt.ts';
import type { StarterCase } from './case.ts';
import { judgeAbsent, judgeSpan } from './judge.ts';
import type { RealText } from './material.ts';

export function realTextCases(texts: readonly RealText[]): StarterCase[] {
  let count = 0;
  return texts.flatMap((text, t) =>
    text.questions.map(({ question, answers }) => {
      const other = texts[(t + 1) % texts.length];
      const order = [[text], [text, other], [text], [other, text]][count++ % 4];
      const passages = order.map((one) => ({ documentTitle: one.title, page: one.page, text: one.text }));
      const prompt = documentPrompt({ passages, question });
      const citation = order.indexOf(text) + 1;
      const present = answers.length > 0;
      return {
        task: 'real-texts',
        group: present ? 'answerable' : 'not answerable',
        earlier: [],
        messages: [
          { role: 'system', content: prompt.system },
          { role: 'user', content: prompt.user },
        ],
        expected: present ? `${answers[0]} [${citation}]` : 'absent',
        judge: (answer) => (present ? judgeSpan(answer, { spans: answers, citation, others: [] }) : judgeAbsent(answer)),
      };
    }),
  );
}
