/** Text, source code and Markdown: the text stays as it is; of Markdown the headings are found. */
import { TextBuilder, type ParsedDocument } from '../parsed-document.ts';
import { decodeText } from './decode.ts';

/** A file whose lines are longer than this holds one paragraph per line. */
const WRAPPED_LINE_CHARS = 100;

export function parseText(bytes: Uint8Array): ParsedDocument {
  const text = decodeText(bytes);
  const builder = new TextBuilder();
  builder.append(text);
  return builder.finish(null, isWrapped(text) ? 'prose' : 'lines');
}

export function parseCode(bytes: Uint8Array): ParsedDocument {
  const builder = new TextBuilder();
  builder.append(decodeText(bytes));
  return builder.finish(null, 'lines');
}

/** ATX (`## Name`) and underlined headings outside fenced code. The title is the first heading of the first level. */
export function parseMarkdown(bytes: Uint8Array): ParsedDocument {
  const text = decodeText(bytes);
  const builder = new TextBuilder();
  let title: string | null = null;
  let fence: string | null = null;
  let previous = '';
  const lines = text.split('\n');
  const frontMatterEnd =
    lines[0]?.trimEnd() === '---' ? lines.findIndex((line, i) => i > 0 && /^(---|\.\.\.)\s*$/.test(line)) : -1;
  for (const [i, line] of lines.entries()) {
    const end = i === lines.length - 1 ? '' : '\n';
    const mark = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1];
    if (mark && fence === null) fence = mark;
    else if (mark && fence !== null && mark.startsWith(fence)) fence = null;
    const atx = /^ {0,3}(#{1,6})[ \t]+(.*?)[ \t#]*$/.exec(line);
    const isUnderlined = /^ {0,3}(=+|-{2,})[ \t]*$/.exec(lines[i + 1] ?? '') !== null && /^ {0,3}[\p{L}\p{N}"'(*_]/u.test(line);
    const isFree = fence === null && i > frontMatterEnd;
    if (isFree && atx && atx[2] !== '') {
      builder.heading(line, atx[1].length);
      if (atx[1].length === 1) title ??= atx[2];
    } else if (isFree && isUnderlined && previous.trim() === '' && !line.startsWith('- ')) {
      const level = lines[i + 1].trim().startsWith('=') ? 1 : 2;
      builder.heading(line, level);
      if (level === 1) title ??= line.trim();
    } else builder.append(line);
    builder.append(end);
    previous = line;
  }
  return builder.finish(title && title.replace(/[*_`]/g, ''), 'prose');
}

/** Hard-wrapped prose: lines of about one length that end in the middle of sentences. */
function isWrapped(text: string): boolean {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const long = lines.filter((line) => line.length > WRAPPED_LINE_CHARS).length;
  const broken = lines.filter((line) => line.length >= 45 && /[\p{L},;]$/u.test(line.trimEnd())).length;
  return long < 0.2 * lines.length && broken > 0.3 * lines.length;
}
