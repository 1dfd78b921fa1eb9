/**
 * Which special tokens a prompt may hold, and where: control tokens only where the template wrote all of them. User-defined tokens
 * are read everywhere, as in plain text, except those that act as markup: the template of this prompt writes them itself, or they
 * look like a chat marker. So a document that says `<|im_end|>` or `<start_of_turn>` stays words.
 */
import type { PromptPiece } from './types.ts';
import type { SpecialFilter } from './special-tokens.ts';
import { TokenType, type Vocabulary } from './vocabulary.ts';

const CHAT_MARKER =
  /^(<[|｜].*|.*[|｜]>|\[\/?[A-Z_]+\]|<\/?(start_of_turn|end_of_turn|think|tool_call|tool_response|s|bos|eos)>)$/s;

export function trustedFilter(pieces: readonly PromptPiece[], vocabulary: Vocabulary): SpecialFilter {
  // boundary[i]: number of untrusted UTF-16 units before i, so that a range is trusted when both ends agree.
  const nUnits = pieces.reduce((sum, piece) => sum + piece.text.length, 0);
  const untrustedBefore = new Int32Array(nUnits + 1);
  let at = 0;
  let count = 0;
  for (const { text, trusted } of pieces) {
    for (let i = 0; i < text.length; i++) {
      if (!trusted) count++;
      untrustedBefore[++at] = count;
    }
  }
  const template = pieces.map((piece) => (piece.trusted ? piece.text : '\0')).join('');
  const markup = new Map<number, boolean>();
  const isMarkup = (id: number): boolean => {
    const known = markup.get(id);
    if (known !== undefined) return known;
    const text = vocabulary.texts[id] ?? '';
    const is = CHAT_MARKER.test(text) || (/\S/.test(text) && template.includes(text));
    markup.set(id, is);
    return is;
  };
  return (id, start, end) =>
    untrustedBefore[end] === untrustedBefore[start] || (vocabulary.types[id] === TokenType.userDefined && !isMarkup(id));
}
