/** Cases of `sample`: each filter alone and together, ties at the border of top-k, fewer tokens than candidates, many draws. */
import type { SamplingSettings } from '../../runtime/types.ts';
import { CaseRandom, type KernelCase } from '../cases.ts';
import { caseGroups, NO_MISS, POSITION, stepBindings } from './sample-case-helpers.ts';
import { sampleKernel, samplingBytes } from './sample.ts';
import { sampleRef } from './sample.ref.ts';

const VOCABULARY = 3001;

function sampleCase(
  name: string,
  seed: number,
  settings: Partial<SamplingSettings>,
  make: (random: CaseRandom) => Float32Array = (random) => random.normals(VOCABULARY, 3),
  miss = NO_MISS,
): KernelCase {
  return {
    name: `sample: ${name}`,
    make() {
      const random = new CaseRandom(seed);
      const logits = make(random);
      const sampling = { temperature: 1, topK: 0, topP: 1, minP: 0, seed, ...settings };
      const { program, grid } = sampleKernel({ vocabularySize: logits.length, recordsAt: 3, recordWords: 9 });
      const id = sampleRef(logits, sampling, POSITION + 1);
      const step = stepBindings(random, { id, miss, recordsAt: 3, recordWords: 9 });
      const groups = caseGroups(logits, sampling.temperature);
      return {
        program,
        grid,
        bindings: [
          { input: samplingBytes(sampling) },
          { input: logits },
          { input: groups },
          step.expertRows,
          step.state,
          step.ring,
        ],
        bytes: groups.byteLength + 4 * 16 * 256,
        flops: 0,
      };
    },
  };
}

// The size of the vocabulary is in the program's text: most cases have one, so that it is compiled once.
const flat = () => new Float32Array(VOCABULARY).fill(1.5);
const steps = (random: CaseRandom) => random.normals(VOCABULARY).map((v) => Math.round(v * 2)); // many ties

export const sampleCases: readonly KernelCase[] = [
  ...Array.from({ length: 6 }, (_, i) => sampleCase(`draw ${i}`, 1200 + i, {})),
  ...Array.from({ length: 3 }, (_, i) =>
    sampleCase(`top-k 40, top-p 0.9, min-p 0.02, draw ${i}`, 1210 + i, { temperature: 0.8, topK: 40, topP: 0.9, minP: 0.02 }),
  ),
  ...Array.from({ length: 4 }, (_, i) => sampleCase(`all equal, draw ${i}`, 1220 + i, { topK: 100 }, flat)),
  ...Array.from({ length: 4 }, (_, i) => sampleCase(`many ties, draw ${i}`, 1230 + i, { topK: 37 }, steps)),
  ...Array.from({ length: 3 }, (_, i) => sampleCase(`many ties, 256 candidates, draw ${i}`, 1240 + i, { temperature: 3 }, steps)),
  sampleCase('top-k 1', 1250, { topK: 1 }),
  sampleCase('top-p 0.3', 1251, { topP: 0.3 }),
  sampleCase('min-p 0.2', 1252, { minP: 0.2 }),
  sampleCase('temperature 0.05', 1253, { temperature: 0.05 }),
  sampleCase('temperature 10', 1254, { temperature: 10 }),
  sampleCase('fewer tokens than candidates', 1255, {}, (random) => random.normals(21)),
  sampleCase('one token', 1256, {}, (random) => random.normals(1)),
  sampleCase('zeros of both signs', 1257, { topK: 3 }, () =>
    Float32Array.from({ length: VOCABULARY }, (_, i) => (i % 2 ? 0 : -0)),
  ),
  sampleCase('negative logits', 1258, { topK: 50 }, (random) => random.normals(VOCABULARY).map((v) => v - 100)),
  sampleCase('an outlier of 1e4', 1259, { temperature: 2 }, (random) =>
    random.normals(VOCABULARY).map((v, i) => (i === 2900 ? 1e4 : v)),
  ),
  sampleCase('a miss', 1260, {}, undefined, 2),
];
