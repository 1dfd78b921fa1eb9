/**
 * Cuts markdown into top-level blocks so that a growing answer only re-reads its end: text that is appended can change the last
 * blocks, never the ones before them. A block keeps its key while it stands, so its picture is made once.
 */
import type { Token, Tokens } from 'marked';
import { PLAIN, type Dialect } from './dialect.ts';

export interface Block {
  /** Stable while the block's place is. */
  readonly key: number;
  readonly raw: string;
  readonly token: Token;
  /** Text may still be added to it. */
  readonly open: boolean;
}

/** Appended text can join the last block (a list's next item, a table's rule below its head); two leave a margin. */
const REREAD_BLOCKS = 2;
/** A longer list is shown as several that follow one another, so that its end can grow without its beginning. */
const LIST_ITEMS = 40;

export class BlockReader {
  readonly #dialect: Dialect;
  #source = '';
  #blocks: readonly Block[] = [];

  constructor(dialect = PLAIN) {
    this.#dialect = dialect;
  }

  /** The blocks of `source`. Cheap when it continues what was read before. */
  read(source: string, growing: boolean): readonly Block[] {
    const text = source.replace(/\r\n?/g, '\n');
    const kept = text.startsWith(this.#source) ? this.#settled() : [];
    const start = kept.reduce((length, block) => length + block.raw.length, 0);
    const fresh: Block[] = [];
    for (const token of cutLists(joinSpace(this.#dialect.lexer(text.slice(start))), this.#dialect)) {
      const key = kept.length + fresh.length;
      const old = this.#blocks[key];
      fresh.push(old && old.raw === token.raw && !old.open ? old : { key, raw: token.raw, token, open: false });
    }
    const last = fresh.length - 1;
    if (growing && last >= 0) fresh[last] = { ...fresh[last], open: true };
    this.#source = text;
    this.#blocks = [...kept, ...fresh];
    return this.#blocks;
  }

  #settled(): readonly Block[] {
    return this.#blocks.slice(0, Math.max(0, this.#blocks.length - REREAD_BLOCKS));
  }
}

function cutLists(tokens: readonly Token[], dialect: Dialect): Token[] {
  return tokens.flatMap((token) => {
    if (token.type !== 'list' || (token as Tokens.List).items.length <= LIST_ITEMS) return [token];
    const { items, raw } = token as Tokens.List;
    const parts: Token[] = [];
    let end = 0;
    for (let at = 0; at < items.length; at += LIST_ITEMS) {
      const start = end;
      for (const item of items.slice(at, at + LIST_ITEMS)) end += item.raw.length;
      const last = at + LIST_ITEMS >= items.length;
      // Read alone, as it will be when the text goes on from here.
      const [part] = dialect.lexer(raw.slice(start, end));
      parts.push({ ...part, raw: raw.slice(start, last ? undefined : end) });
    }
    return parts;
  });
}

/** Blank lines and definitions belong to the block before them, so that every block draws something and none is lost. */
function joinSpace(tokens: readonly Token[]): Token[] {
  const joined: Token[] = [];
  for (const token of tokens) {
    const last = joined.at(-1);
    if (last && (token.type === 'space' || token.type === 'def'))
      joined[joined.length - 1] = { ...last, raw: last.raw + token.raw };
    else joined.push(token);
  }
  return joined;
}
