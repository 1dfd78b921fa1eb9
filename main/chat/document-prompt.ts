/**
 * The prompt for a question over documents: numbered passages, each under a line with its title and page, then the question. Models are
 * trained on exactly these strings, so they are frozen by goldens; docs/document-prompt.md describes them. Text of documents is written so
 * that it cannot look like a passage's number, a new passage or the question.
 */
import { invariant } from '../../gpu/invariant.ts';

/** Changes with any change to the strings; a model knows the version it was trained on. */
export const DOCUMENT_PROMPT_VERSION = 1;

/** The whole answer when the passages do not hold it. */
export const ABSENT_ANSWER = 'That is not in your documents.';

export const DOCUMENT_SYSTEM_PROMPT = `Answer only from the numbered passages and cite them like [1]. If they do not hold the answer, say: ${ABSENT_ANSWER}`;

/** What the user's words stand behind, on the last line that the prompt adds. */
export const QUESTION_LABEL = 'Question: ';

export interface PromptPassage {
  readonly documentTitle: string;
  /** From 1; null where the document has no pages. */
  readonly page: number | null;
  readonly text: string;
}

export interface DocumentPrompt {
  /** Content of the system message. */
  readonly system: string;
  /** Content of the user message. Neither begins nor ends with white space, so templates that trim leave it as it is. */
  readonly user: string;
}

/** In characters: a longer title would cost more of the context than it tells. */
const LONGEST_TITLE = 80;

/** `passages`: at least one, best first; passage i is cited as `[i + 1]`. The question stays in the user's words. */
export function documentPrompt({
  passages,
  question,
}: {
  readonly passages: readonly PromptPassage[];
  readonly question: string;
}): DocumentPrompt {
  invariant(passages.length > 0, 'a question over documents has passages');
  const blocks = passages.map((passage, i) => `${header(passage, i + 1)}\n${passageText(passage.text)}`.trimEnd());
  return { system: DOCUMENT_SYSTEM_PROMPT, user: [...blocks, QUESTION_LABEL + question.trim()].join('\n\n') };
}

function header({ documentTitle, page }: PromptPassage, number: number): string {
  return `[${number}] ${titleText(documentTitle)}${page === null ? '' : `, p. ${page}`}`;
}

/** One line, without brackets. */
function titleText(title: string): string {
  const line = title
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .replaceAll('[', '(')
    .replaceAll(']', ')')
    .trim();
  const characters = Array.from(line);
  if (characters.length === 0) return 'Untitled';
  return characters.length > LONGEST_TITLE
    ? `${characters
        .slice(0, LONGEST_TITLE - 1)
        .join('')
        .trimEnd()}…`
    : line;
}

/** No empty lines (they separate passages), no `[7]` (a citation), no line that begins as the question does. */
function passageText(text: string): string {
  const lines = text.split(/\r\n|[\n\r\v\f\x85\u2028\u2029]/).map((line) => line.replace(/[^\P{Cc}\t]/gu, ' ').trimEnd());
  return lines
    .filter((line) => line !== '')
    .join('\n')
    .replace(/\[([\s\p{Cf}]*\p{N}+[\s\p{Cf}]*)\]/gu, '($1)')
    .replace(/^((?:(?!\n)[\s\p{Cf}])*question)[^\S\n]*[:：]/gimu, '$1 -');
}
