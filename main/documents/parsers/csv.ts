/** Tables as text: each row is a line `Header: value; Header: value`, so that a row found by itself says what its numbers are. */
import { TextBuilder, type ParsedDocument } from '../parsed-document.ts';
import { decodeText } from './decode.ts';

const DELIMITERS = [',', ';', '\t', '|'];
/** Cells of a row beyond this are left out. */
const MAX_CELLS = 500;

export function parseCsv(bytes: Uint8Array): ParsedDocument {
  const text = decodeText(bytes);
  const delimiter = delimiterOf(text);
  const builder = new TextBuilder();
  let header: string[] | null = null;
  let isFirst = true;
  for (const cells of rows(text, delimiter)) {
    const values = cells.map((cell) => cell.replace(/\s+/g, ' ').trim());
    if (values.every((value) => value === '')) continue;
    if (isFirst && isHeader(values)) header = values;
    else builder.append(`${lineOf(values, header)}\n`);
    isFirst = false;
  }
  return builder.finish(null, 'lines');
}

function lineOf(values: readonly string[], header: readonly string[] | null): string {
  return values
    .map((value, i) => (value === '' ? '' : header?.[i] ? `${header[i]}: ${value}` : value))
    .filter((cell) => cell !== '')
    .join('; ');
}

/** Names, all different, none a number. */
function isHeader(values: readonly string[]): boolean {
  const named = values.filter((value) => value !== '');
  return named.length > 0 && new Set(named).size === named.length && named.every((value) => !/^[-+]?[\d.,%€$£ ]+$/.test(value));
}

/** The one that cuts the first lines most evenly. */
function delimiterOf(text: string): string {
  const lines = text
    .slice(0, 20_000)
    .split('\n', 20)
    .filter((line) => line !== '');
  const score = (delimiter: string) => {
    const counts = lines.map((line) => line.split(delimiter).length - 1);
    const same = counts.filter((count) => count === counts[0]).length;
    return counts[0] === 0 ? 0 : same * 100 + counts[0];
  };
  return DELIMITERS.reduce((best, delimiter) => (score(delimiter) > score(best) ? delimiter : best));
}

/** RFC 4180: quoted cells may hold delimiters, line ends and doubled quotes. */
function* rows(text: string, delimiter: string): Generator<string[]> {
  let cells: string[] = [];
  let cell = '';
  let isQuoted = false;
  const push = () => {
    if (cells.length < MAX_CELLS) cells.push(cell);
    cell = '';
  };
  for (let i = 0; i < text.length; i++) {
    const char = text[i];
    if (isQuoted) {
      if (char !== '"') cell += char;
      else if (text[i + 1] === '"') cell += text[++i];
      else isQuoted = false;
    } else if (char === '"' && cell.trim() === '') [isQuoted, cell] = [true, ''];
    else if (char === delimiter) push();
    else if (char === '\n') {
      push();
      yield cells;
      cells = [];
    } else cell += char;
  }
  push();
  yield cells;
}
