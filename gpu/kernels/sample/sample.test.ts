/** `sample` without a device. */
import { expect, test } from 'vitest';
import { sampleKernel, samplingBytes } from './sample.ts';

const OFF = { temperature: 0.5, topK: 0, topP: 1, minP: 0, seed: 7 };

test('settings as the kernel reads them', () => {
  const bytes = samplingBytes({ ...OFF, topP: 0.5, minP: 0.25, seed: -1 });
  const [floats, words] = [new Float32Array(bytes.buffer), new Uint32Array(bytes.buffer)];
  expect([floats[0], words[1], floats[2], floats[3], words[4]]).toEqual([2, 256, 0.5, 0.25, 0xffffffff]);
  expect(new Float32Array(samplingBytes({ ...OFF, temperature: 0 }).buffer)[0]).toBe(1);
});

test.each([{ temperature: -1 }, { temperature: NaN }, { topK: 257 }, { topK: 1.5 }, { topP: 0 }, { topP: 1.1 }, { minP: 1 }])(
  'settings out of range are a bug: %o',
  (wrong) => expect(() => samplingBytes({ ...OFF, ...wrong })).toThrow('Invariant'),
);

test('WGSL', async () => {
  const { program } = sampleKernel({ vocabularySize: 1000, recordsAt: 200, recordWords: 8 });
  await expect(program.code).toMatchFileSnapshot('sample.snap.wgsl');
});
