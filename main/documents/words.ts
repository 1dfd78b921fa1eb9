/**
 * Words as the search sees them. SQLite's tokenizer cuts at spaces and signs, folds case and accents and takes English endings off; what it
 * cannot do is done here, for texts and questions alike: scripts without spaces become pairs of characters, `camelCase` is taken apart too,
 * `1,234` is one number.
 */

/** Scripts without spaces between words, for a class in a regular expression with `u`. */
export const UNSPACED = '\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Hangul}\\p{Script=Thai}';
const SEARCH_UNSPACED = `${UNSPACED}\\p{Script=Lao}\\p{Script=Khmer}\\p{Script=Myanmar}ー々`;
const UNSPACED_RUN = new RegExp(`[${SEARCH_UNSPACED}][${SEARCH_UNSPACED}\\p{M}]*`, 'gu');
const CAMEL = /\p{Ll}\p{Lu}|\p{Lu}{2}\p{Ll}/u;

/** What the index is given of a text. */
export function indexTerms(text: string): string {
  const spaced = spacedOut(text);
  const parts: string[] = [];
  for (const [word] of spaced.matchAll(/[\p{L}\p{N}]+/gu)) if (CAMEL.test(word)) parts.push(...camelParts(word));
  return parts.length === 0 ? spaced : `${spaced} ${parts.join(' ')}`;
}

/** Words of a question in order, lower case, each as the index has it. */
export function queryWords(question: string): string[] {
  const words = [...spacedOut(question).matchAll(/[\p{L}\p{N}\p{M}]+/gu)].map(([word]) => word);
  return words.flatMap((word) => (CAMEL.test(word) ? [word, ...camelParts(word)] : [word])).map((word) => word.toLowerCase());
}

const spacedOut = (text: string) => joinedNumbers(text).replace(UNSPACED_RUN, (run) => ` ${pairs(run).join(' ')} `);

/** `1,234` as one number. */
export const joinedNumbers = (text: string) => text.replace(/(?<=\d)[,'’](?=\d{3}(?!\d))/g, '');

/** Neighbouring characters, which stand for words in a script without spaces. */
export function pairs(run: string): string[] {
  const chars = Array.from(run);
  return chars.length < 2 ? chars : chars.slice(1).map((char, i) => chars[i] + char);
}

function camelParts(word: string): string[] {
  return word.split(/(?<=[\p{Ll}\p{N}])(?=\p{Lu})|(?<=\p{Lu})(?=\p{Lu}\p{Ll})/u);
}

/** A word without its commonest English endings: for comparing sentences here, where SQLite's stemmer is not at hand. */
export function stem(word: string): string {
  const plain = word.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
  if (plain.length < 4 || /\d/.test(plain)) return plain;
  const cut = plain
    .replace(/(?:'|’)s$/, '')
    .replace(/(ss|x|ch|sh)es$/, '$1')
    .replace(/ies$/, 'y')
    .replace(/([^su])s$/, '$1')
    .replace(/(ational|ation|ations|ments?|ness|ingly|edly)$/, '')
    .replace(/(?<=[aeiouy].*[^aeiou])(ing|ed|er|ers|ly)$/, '')
    .replace(/([bdfgmnprt])\1$/, '$1')
    .replace(/(?<=..)e$/, '')
    .replace(/(?<=.[^aeiou])y$/, 'i');
  return cut.length < 3 ? plain : cut;
}
