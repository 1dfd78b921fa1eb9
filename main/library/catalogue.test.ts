import { expect, test } from 'vitest';
import json from '../../resources/catalogue.json' with { type: 'json' };
import { architectureNames } from '../../gpu/architectures/read-model.ts';
import { catalogueEntries, catalogueModels, catalogueSchema } from './catalogue.ts';
import * as v from 'valibot';

const FIGURES = [
  'revision',
  'parametersTotal',
  'parametersActive',
  'layers',
  'experts',
  'expertsUsed',
  'contextTokens',
  'architecture',
] as const;

test('the file keeps its schema and has at least twelve models, each once', () => {
  const models = catalogueModels();
  expect(models.length).toBeGreaterThanOrEqual(12);
  expect(new Set(models.map(({ id }) => id)).size).toBe(models.length);
  expect(models.filter(({ architecture }) => architectureNames.includes(architecture)).length).toBeGreaterThanOrEqual(6);
});

test('the schema refuses what a slip of the pen makes', () => {
  const change = (edit: (model: Record<string, unknown>) => void) => {
    const copy = structuredClone(json) as unknown as { models: Record<string, unknown>[] };
    edit(copy.models[0]);
    return v.safeParse(catalogueSchema, copy).success;
  };
  expect(change(() => {})).toBe(true);
  expect(change((model) => (model.repository = 'no-owner'))).toBe(false);
  expect(change((model) => (model.experts = 0))).toBe(false);
  expect(change((model) => (model.sources = []))).toBe(false);
  expect(change((model) => (model.surprise = 1))).toBe(false);
  expect(
    change(
      (model) =>
        (model.files = [{ quantisation: 'Q4', aboutBytes: null, parts: [{ name: 'a.bin', sizeBytes: 1, sha256: null }] }]),
    ),
  ).toBe(false);
  const half = [{ name: 'a-00001-of-00002.gguf', sizeBytes: 1, sha256: null }];
  expect(change((model) => (model.files = [{ quantisation: 'Q4', aboutBytes: null, parts: half }]))).toBe(false);
});

test.each(catalogueModels().map((model) => [model.id, model] as const))(
  '%s: every figure has a source, and none contradicts another',
  (_, model) => {
    const given = new Set(model.sources.flatMap(({ gives }) => gives));
    const stated = [
      ...FIGURES.filter((figure) => model[figure] !== null),
      ...(model.licence.name === null ? [] : ['licence']),
      ...model.files.flatMap(({ aboutBytes, parts }) => [
        ...(aboutBytes === null ? [] : ['aboutBytes']),
        ...parts.flatMap(({ sizeBytes, sha256 }) => [
          ...(sizeBytes === null ? [] : ['sizeBytes']),
          ...(sha256 === null ? [] : ['sha256']),
        ]),
      ]),
      'files',
    ];
    expect(stated.filter((figure) => !given.has(figure))).toEqual([]);
    expect([...given].filter((figure) => !stated.includes(figure))).toEqual([]);
    if (model.experts !== null) expect(model.expertsUsed).toBeLessThanOrEqual(model.experts);
    if (model.parametersTotal !== null) expect(model.parametersActive).toBeLessThan(model.parametersTotal);
    for (const { parts, aboutBytes } of model.files) {
      const isKnown = parts.every(({ sizeBytes }) => sizeBytes !== null);
      expect(isKnown ? aboutBytes : aboutBytes === null ? 'a size of some kind' : null).toBeNull();
      // No usual type has fewer than 2 or more than 18 bits a weight: a size in the wrong unit shows here.
      const bytes = isKnown ? parts.reduce((sum, { sizeBytes }) => sum + sizeBytes!, 0) : aboutBytes!;
      const bitsPerWeight = (bytes * 8) / model.parametersTotal!;
      expect(bitsPerWeight).toBeGreaterThan(2);
      expect(bitsPerWeight).toBeLessThan(18);
    }
  },
);

test('entries say what the engine cannot run and what fits, in words', () => {
  const entries = catalogueEntries({ ramBytes: 24 * 2 ** 30, known: null });
  const entry = (id: string) => entries.find((candidate) => candidate.id === id)!;
  expect(entry('olmoe-1b-7b-0125')).toMatchObject({
    notYet: null,
    files: [{ quantisation: 'Q4_K_M', fit: { level: 'ram' } }, {}, {}],
  });
  expect(entry('qwen3-coder-30b-a3b').files.map(({ fit }) => fit.text)).toEqual([
    'Just fits into this computer’s 24 GiB of memory; close other large programs.',
    expect.stringContaining('Larger than') as unknown,
    expect.stringContaining('slow') as unknown,
  ]);
  expect(entry('deepseek-v2-lite-chat').notYet).toContain('deepseek2');
  expect(entry('gpt-oss-20b').notYet).toBeNull();
  expect(entry('qwen3-235b-a22b-instruct-2507').files[0]).toMatchObject({
    parts: 3,
    sizeBytes: null,
    aboutBytes: 142_154_074_880,
  });
});

test('once the machine is known the planner says where experts will live and how fast', () => {
  const GIB = 2 ** 30;
  const machine = {
    unifiedMemory: false,
    software: false,
    gpuFreeBytes: null,
    ramFreeBytes: 24 * GIB,
    ramTotalBytes: 32 * GIB,
    diskBytesPerSecond: null,
    uploadBytesPerSecond: null,
    readbackMs: null,
    computeBytesPerSecond: null,
    dispatchMs: null,
  };
  const known = { budgets: { gpuBytes: 10 * GIB, ramBytes: 13 * GIB }, machine };
  const fits = (id: string) => catalogueEntries({ ramBytes: 32 * GIB, known }).find((entry) => entry.id === id)!.files[0].fit;
  expect(fits('olmoe-1b-7b-0125')).toMatchObject({ level: 'gpu', text: expect.stringContaining('tokens per second') as unknown });
  expect(fits('qwen3-coder-30b-a3b')).toMatchObject({
    level: 'ram',
    text: expect.stringContaining('% of its experts') as unknown,
  });
  expect(['disk', 'none']).toContain(fits('qwen3-235b-a22b-instruct-2507').level);
  expect(fits('deepseek-coder-v2-lite').text).toContain('memory'); // its shape is not known
});
