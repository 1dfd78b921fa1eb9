/**
 * `node tests/starter/overlap.ts TRAINING.txt [--words 8] [--show 20]`: how many held-out texts share a run of 8 words with the training
 * text (a plain text file, one document a line or more). Words are lower case letters and digits; placeholders of frames cut a run.
 * Exits with 1 when something overlaps. The fixed answers are no held-out text: both sides know them.
 */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import {
  readArithmetic,
  readFactFrames,
  readGuide,
  readHandWritten,
  readReading,
  readRealTexts,
  readRefusals,
} from './material.ts';

interface HeldOutText {
  readonly place: string;
  readonly text: string;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { words: { type: 'string', default: '8' }, show: { type: 'string', default: '20' } },
});
const n = Number(values.words);
if (positionals.length !== 1 || !Number.isInteger(n) || n < 1)
  throw new Error('Usage: overlap.ts TRAINING.txt [--words 8] [--show 20], with a whole number of words from 1 on.');

const texts = heldOutTexts();
const grams = new Map<string, Set<HeldOutText>>();
for (const text of texts) for (const gram of gramsOf(text.text)) grams.set(gram, (grams.get(gram) ?? new Set()).add(text));

const found = new Map<HeldOutText, string>();
let nLines = 0;
for await (const line of createInterface({ input: createReadStream(positionals[0], 'utf8'), crlfDelay: Infinity })) {
  nLines++;
  for (const gram of gramsOf(line)) for (const text of grams.get(gram) ?? []) if (!found.has(text)) found.set(text, gram);
}

const long = texts.filter(({ text }) => gramsOf(text).length > 0).length;
console.log(`${texts.length} held-out texts, ${long} of at least ${n} words in a row; ${nLines} lines of training text`);
console.log(`${found.size} texts share ${n} words in a row with it`);
for (const [{ place }, gram] of [...found].slice(0, Number(values.show))) console.log(`${place}: ${gram}`);
process.exit(found.size > 0 ? 1 : 0);

function gramsOf(text: string): string[] {
  return text.split(/\{\w+\}/).flatMap((part) => {
    const words = part.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
    return Array.from({ length: Math.max(0, words.length - n + 1) }, (_, i) => words.slice(i, i + n).join(' '));
  });
}

function heldOutTexts(): HeldOutText[] {
  const reading = readReading();
  const refusals = readRefusals();
  const arithmetic = readArithmetic();
  const of = (place: string, list: readonly string[]) => list.map((text) => ({ place, text }));
  return [
    ...Object.entries(readGuide()).flatMap(([id, list]) =>
      of(
        `guide ${id}`,
        list.map(({ text }) => text),
      ),
    ),
    ...Object.entries(reading.domains).flatMap(([domain, { attributes }]) =>
      Object.entries(attributes).flatMap(([name, { statements, questions }]) =>
        of(`reading ${domain}.${name}`, [...statements, ...questions]),
      ),
    ),
    ...of('reading fillers', reading.fillers),
    ...readRealTexts().flatMap(({ id, text, questions }) =>
      of(`real text ${id}`, [text, ...questions.map(({ question }) => question)]),
    ),
    ...Object.entries(readFactFrames()).flatMap(([relation, list]) => of(`facts ${relation}`, list)),
    ...Object.entries(refusals.kinds).flatMap(([kind, { prompts }]) =>
      of(
        `refusal ${kind}`,
        prompts.map(({ text }) => text),
      ),
    ),
    ...Object.values(refusals.frames).flatMap((frames) => frames.flatMap((frame) => of('refusal frames', frame.texts))),
    ...of('arithmetic', [
      ...arithmetic.sum.frames,
      ...arithmetic.difference.frames,
      ...arithmetic.product.frames,
      ...arithmetic.unit.frames,
      ...Object.values(arithmetic.weekday.frames).flat(),
    ]),
    ...readHandWritten().flatMap(({ turns }) => of('prompts', turns)),
  ];
}
