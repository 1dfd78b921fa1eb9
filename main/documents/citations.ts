/** Citations in an answer: `[2]`, also `[1, 3]` and `[1][3]`. Those that point to no passage are taken out; code is left alone. Pure. */

const CODE = /(```[\s\S]*?(?:```|$)|`[^`\n]*`)/;
const CITATION = /[^\S\n]*\[\s*(\d{1,4}(?:\s*[,;]\s*\d{1,4})*)\s*\]/g;

export interface CheckedCitations {
  readonly text: string;
  readonly removed: number;
}

/** `nPassages`: citations 1 to this are valid. Lists become single ones, so that `[1, 9]` with three passages is `[1]`. */
export function checkCitations(answer: string, nPassages: number): CheckedCitations {
  let removed = 0;
  const parts = answer.split(CODE).map((part, i) => {
    if (i % 2 === 1) return part;
    return part.replace(CITATION, (whole, list: string) => {
      const numbers = list.split(/[,;]/).map(Number);
      const valid = numbers.filter((number) => number >= 1 && number <= nPassages);
      removed += numbers.length - valid.length;
      if (valid.length === 0) return '';
      const space = /^\s+/.exec(whole)?.[0] ?? '';
      return space + valid.map((number) => `[${number}]`).join('');
    });
  });
  return { text: parts.join(''), removed };
}

/** The passages that a sentence cites, from 1. */
export function citedIn(sentence: string): number[] {
  return [...sentence.matchAll(/\[(\d{1,4})\]/g)].map(([, number]) => Number(number));
}

export function withoutCitations(text: string): string {
  return text.replace(CITATION, '');
}
