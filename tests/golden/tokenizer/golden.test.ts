/** Our ids against llama.cpp's, recorded by generate.ts; and that the recordings would notice a wrong pre-tokenizer. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createTokenizer } from '../../../gpu/tokenizer/tokenizer.ts';
import { CORPUS } from './corpus.ts';
import { USER_DEFINED } from './train.ts';
import { GOLDEN_MAGIC, GOLDEN_VERSION, metadataOfGolden, type Golden } from './goldens.ts';

function readGolden(name: string): Golden {
  return JSON.parse(readFileSync(new URL(`./${name}.json`, import.meta.url), 'utf8')) as Golden;
}

const corpusHash = createHash('sha256').update(JSON.stringify(CORPUS)).digest('hex').slice(0, 16);

describe.each(['bpe', 'spm', 'smollm2'])('golden %s', (name) => {
  const golden = readGolden(name);

  test('belongs to this corpus', () => {
    expect([golden.magic, golden.version, golden.corpusHash]).toEqual([GOLDEN_MAGIC, GOLDEN_VERSION, corpusHash]);
    expect(CORPUS.length).toBeGreaterThanOrEqual(200);
  });

  describe.each(golden.runs.map((run) => [JSON.stringify(run.settings), run] as const))('%s', (_title, run) => {
    const tokenizer = createTokenizer(metadataOfGolden(golden.vocabulary, run.settings));

    test('gives the ids of llama.cpp', () => {
      const differences: unknown[] = [];
      CORPUS.forEach((text, i) => {
        for (const parseSpecial of [false, true]) {
          const wanted = parseSpecial ? (run.special[i] ?? run.plain[i]) : run.plain[i];
          const found = [...tokenizer.encode(text, { parseSpecial, addSpecial: false })];
          if (found.join() !== wanted.join()) differences.push({ text, parseSpecial, wanted, found });
        }
      });
      expect(differences.slice(0, 5)).toEqual([]);
    });

    test('decodes to the text again, whole and token by token', () => {
      const differences: unknown[] = [];
      for (const text of CORPUS) {
        const ids = tokenizer.encode(text, { parseSpecial: false, addSpecial: false });
        const decoder = tokenizer.decoder();
        const streamed = Array.from(ids, (id) => decoder.push(id)).join('') + decoder.flush();
        // SentencePiece cannot tell ▁ from a space, and (as llama.cpp does it) adds one after a special token in the middle.
        if (run.settings.add_space_prefix === true && USER_DEFINED.some((special) => text.includes(special))) continue;
        const wanted = run.settings.model === 'llama' ? text.replaceAll('▁', ' ') : text;
        for (const found of [tokenizer.decode(ids), streamed]) if (found !== wanted) differences.push({ wanted, found });
      }
      expect(differences.slice(0, 5)).toEqual([]);
    });
  });
});

test('no two pre-tokenizers of the golden give the same ids, so a wrong one is noticed', () => {
  const runs = readGolden('bpe').runs;
  for (const [i, a] of runs.entries()) {
    for (const b of runs.slice(i + 1)) {
      const differing = CORPUS.filter((_, text) => a.plain[text].join() !== b.plain[text].join()).length;
      expect(differing, `${String(a.settings.pre)} and ${String(b.settings.pre)}`).toBeGreaterThan(3);
    }
  }
});
