/** The file that ships is the one on its card, and asks for greedy answers: export.py writes both. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { readSampling } from '../../main/library/read-sampling.ts';
import { openModelFile } from '../../main/library/model-file.ts';
import { NOTHING_NAMED } from '../../main/contract/sampling.ts';
import { STARTER_MODEL } from './material.ts';

test('the starter file has the card’s SHA-256', (context) => {
  if (!existsSync(STARTER_MODEL)) return context.skip('resources/models/starter.gguf is not there');
  const card = readFileSync(path.join(path.dirname(STARTER_MODEL), 'STARTER.md'), 'utf8');
  expect(card).toContain(createHash('sha256').update(readFileSync(STARTER_MODEL)).digest('hex'));
});

test('the starter file names temperature 0', async (context) => {
  if (!existsSync(STARTER_MODEL)) return context.skip('resources/models/starter.gguf is not there');
  const { file, close } = await openModelFile(STARTER_MODEL);
  try {
    expect(readSampling(file)).toEqual({ named: { ...NOTHING_NAMED, temperature: 0 }, notes: [] });
  } finally {
    await close();
  }
});
