/**
 * Tells a rendered prompt's own text from the contents in it, whatever the template did to them. The template runs on placeholders, and
 * where its output with the real contents filled in (as they are, or trimmed) is the real output, that is the answer. A template that
 * looks into contents runs on contents whose first characters of special tokens are swapped for private-use characters; so does one that refuses
 * contents which spell its markers (gpt-oss' does).
 */
import type { ChatMessage, PromptPiece } from '../../gpu/tokenizer/types.ts';
import { engineError, isConclaveError, type ConclaveError } from '../../gpu/errors.ts';

type Render = (messages: readonly ChatMessage[]) => string;

/** `specialTexts`: the texts that must not come out of a content as special tokens. */
export function markContents(render: Render, messages: readonly ChatMessage[], specialTexts: readonly string[]): PromptPiece[] {
  const real = rendered(render, messages);
  const contents = messages.map((message) => message.content).join('');
  const spare = spareCharacters((typeof real === 'string' ? real : '') + contents);
  if (typeof real === 'string')
    return withPlaceholders(render, messages, real, spare) ?? withStandIns(render, messages, real, specialTexts, spare);
  if (!specialTexts.some((text) => contents.includes(text))) throw real;
  return withStandIns(render, messages, real, specialTexts, spare);
}

function withPlaceholders(
  render: Render,
  messages: readonly ChatMessage[],
  real: string,
  spare: SpareCharacters,
): PromptPiece[] | null {
  const open = spare.next();
  const close = spare.next();
  const skeleton = tryRender(
    render,
    messages.map(({ role, content }, i) => ({ role, content: content && `${open}${i}${close}` })),
  );
  if (skeleton === null) return null;
  // Odd parts are indices of contents, even parts are the template's text.
  const parts = skeleton.split(new RegExp(`${open}(\\d+)${close}`, 'u'));
  const pieces: PromptPiece[] = [];
  let at = 0;
  for (let i = 0; i < parts.length; i++) {
    const following = i % 2 === 1 ? parts[i + 1] : '';
    const forms = i % 2 === 1 ? contentForms(messages[Number(parts[i])].content) : [parts[i]];
    const text = forms.find((form) => real.startsWith(form + following, at));
    if (text === undefined) return null;
    pieces.push({ text, trusted: i % 2 === 0 });
    at += text.length;
  }
  return at === real.length ? joined(pieces) : null;
}

function contentForms(content: string): string[] {
  return [content, content.trim(), content.trimStart(), content.trimEnd()];
}

/** `real`: what comes out with the real contents, or why nothing does. */
function withStandIns(
  render: Render,
  messages: readonly ChatMessage[],
  real: string | ConclaveError,
  specialTexts: readonly string[],
  spare: SpareCharacters,
): PromptPiece[] {
  const firsts = new Set(
    specialTexts.map((text) => String.fromCodePoint(text.codePointAt(0)!)).filter((first) => /\S/u.test(first)),
  );
  const standInOf = new Map(Array.from(firsts, (first) => [first, spare.next()]));
  const firstOf = new Map(Array.from(standInOf, ([first, standIn]) => [standIn, first]));
  const hide = (text: string) => Array.from(text, (character) => standInOf.get(character) ?? character).join('');
  const show = (text: string) => Array.from(text, (character) => firstOf.get(character) ?? character).join('');

  // Templates cut a model's thoughts out of earlier answers by these tags, so the second try lets them be seen there.
  const hideButThoughts = ({ role, content }: ChatMessage) =>
    role === 'assistant'
      ? content
          .split(/(<\/?think(?:ing)?>)/)
          .map((part, i) => (i % 2 === 1 ? part : hide(part)))
          .join('')
      : hide(content);
  const all = tryRender(
    render,
    messages.map(({ role, content }) => ({ role, content: hide(content) })),
  );
  const butThoughts = () =>
    tryRender(
      render,
      messages.map((message) => ({ role: message.role, content: hideButThoughts(message) })),
    );
  const isAll = all !== null && (typeof real !== 'string' || show(all) === real);
  const chosen = isAll ? all : butThoughts();
  if (chosen === null) {
    if (typeof real !== 'string') throw real;
    throw engineError(
      'model.template',
      "The model's chat template refuses a content for characters in it. Start a new conversation.",
    );
  }
  return joined(
    Array.from(chosen, (character) => ({ text: firstOf.get(character) ?? character, trusted: !firstOf.has(character) })),
  );
}

function rendered(render: Render, messages: readonly ChatMessage[]): string | ConclaveError {
  try {
    return render(messages);
  } catch (error) {
    if (isConclaveError(error)) return error;
    throw error;
  }
}

/** null where it fails: the other way decides. */
function tryRender(render: Render, messages: readonly ChatMessage[]): string | null {
  const text = rendered(render, messages);
  return typeof text === 'string' ? text : null;
}

/** Empty pieces left out, neighbours of equal trust joined. */
function joined(pieces: readonly PromptPiece[]): PromptPiece[] {
  const result: { text: string; trusted: boolean }[] = [];
  for (const { text, trusted } of pieces) {
    const last = result.at(-1);
    if (last?.trusted === trusted) last.text += text;
    else if (text !== '') result.push({ text, trusted });
  }
  return result;
}

interface SpareCharacters {
  next(): string;
}

/** Private-use characters that do not occur in `text`, one after another. */
function spareCharacters(text: string): SpareCharacters {
  const used = new Set(text.match(/\p{Co}/gu) ?? []);
  let code = 0xe000;
  return {
    next() {
      while (used.has(String.fromCodePoint(code))) code = code === 0xf8ff ? 0xf0000 : code + 1;
      const character = String.fromCodePoint(code);
      code = code === 0xf8ff ? 0xf0000 : code + 1;
      return character;
    },
  };
}
