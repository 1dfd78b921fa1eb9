/**
 * Models that think write their thoughts first, as `<think> … </think>`, and the answer behind them. A message keeps both as one text; this
 * tells them apart, for everything that means the answer alone. Only a block at the very beginning counts: tags further on are text. Pure.
 */

export interface SplitAnswer {
  /** Without white space around them; null where there are none. */
  readonly thoughts: string | null;
  /** The end of the content, as it stands there; '' while the model thinks. */
  readonly answer: string;
  /** The thoughts have begun, with half a tag at least, and not ended. */
  readonly isThinking: boolean;
}

const OPENING_TAGS = ['<think>', '<thinking>'];
const CLOSING_TAGS = ['</think>', '</thinking>'];
/** Some models repeat the tag that their prompt wrote already. */
const OPENING = /^\s*(?:<think(?:ing)?>\s*)+/;
const CLOSING = /<\/think(?:ing)?>\s*/;
/** Alone in its line: a server may keep the opening tag, which stood in the prompt, to itself. */
const LONE_CLOSING = /^[^\S\n]*<\/think(?:ing)?>[^\S\n]*(?:\n\s*|$)/m;

/** `isGrowing`: more text may follow, so half a tag at its end is not shown. */
export function splitThoughts(content: string, isGrowing = false): SplitAnswer {
  const opening = OPENING.exec(content)?.[0];
  if (opening !== undefined) {
    const thoughts = content.slice(opening.length);
    const closing = CLOSING.exec(thoughts);
    if (closing) return ended(thoughts, closing);
    return { thoughts: (isGrowing ? withoutHalf(CLOSING_TAGS, thoughts) : thoughts).trim(), answer: '', isThinking: true };
  }
  if (isGrowing && withoutHalf(OPENING_TAGS, content).trim() === '')
    return { thoughts: null, answer: '', isThinking: content.includes('<') };
  const closing = content.includes('</think') ? LONE_CLOSING.exec(content) : null;
  if (closing && isProse(content.slice(0, closing.index))) return ended(content, closing);
  return { thoughts: null, answer: content, isThinking: false };
}

/** The same thoughts with another answer. */
export function withAnswer(content: string, answer: string): string {
  return content.slice(0, content.length - splitThoughts(content).answer.length) + answer;
}

/** What a prompt holds of the answer already: some templates end with `<think>`. '' for the others, and where a person wrote it. */
export function answerOpening(prompt: readonly { readonly text: string; readonly trusted: boolean }[]): string {
  const last = prompt.at(-1);
  return last?.trusted ? (/<think(?:ing)?>\s*$/.exec(last.text)?.[0] ?? '') : '';
}

function ended(text: string, closing: RegExpExecArray): SplitAnswer {
  const thoughts = text.slice(0, closing.index).trim();
  const answer = text.slice(closing.index + closing[0].length);
  return { thoughts: thoughts === '' ? null : thoughts, answer, isThinking: false };
}

/** Without the beginning of a tag at the end. */
function withoutHalf(tags: readonly string[], text: string): string {
  const at = text.lastIndexOf('<');
  return at >= 0 && tags.some((tag) => tag.startsWith(text.slice(at))) ? text.slice(0, at) : text;
}

/** Whether what follows stands outside of fenced code, and no tag opened before. */
function isProse(before: string): boolean {
  const fences = before.match(/^[^\S\n]*(?:```|~~~)/gm) ?? [];
  return fences.length % 2 === 0 && !/<think(?:ing)?>/.test(before);
}
