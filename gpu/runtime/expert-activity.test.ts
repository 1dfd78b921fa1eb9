import { expect, test } from 'vitest';
import type { ExpertActivity } from '../residency/types.ts';
import { ReuseDepths } from '../residency/policy/reuse-depths.ts';
import { ExpertActivityRecorder } from './expert-activity.ts';
import type { Engine } from './types.ts';

function setUp() {
  const residency = { hits: 0, missesFromRam: 0, missesFromDisk: 0, substitutes: 0, ramPoolBytes: 7 };
  const layers = [
    { index: 0, ffn: { kind: 'dense' } },
    { index: 1, ffn: { kind: 'moe', moe: { nExperts: 4 } } },
    { index: 2, ffn: { kind: 'moe', moe: { nExperts: 4 } } },
  ];
  const engineWith = (counters: typeof residency) => ({
    model: { layers },
    residency: () => ({ ...counters }),
    memory: () => ({ totalBytes: 9 }),
  });
  let engine = engineWith(residency);
  const reports: ExpertActivity[] = [];
  let nowMs = 0;
  const recorder = new ExpertActivityRecorder(
    () => engine as unknown as Engine,
    new ReuseDepths(2, 4),
    (report) => reports.push(report),
    () => nowMs,
  );
  const moveTo = (counters: typeof residency) => (engine = engineWith(counters));
  return { residency, recorder, reports, moveTo, wait: (ms: number) => (nowMs += ms) };
}

test('uses are counted per MoE layer; reports keep their distance; the last one has everything', () => {
  const { recorder, reports, wait } = setUp();
  recorder.add(Uint16Array.of(0, 3, 1, 2));
  recorder.add(Uint16Array.of(0, 1, 1, 3));
  expect(reports).toHaveLength(1);
  wait(250);
  recorder.add(Uint16Array.of(0, 2, 1, 0));
  expect(reports).toHaveLength(2);
  recorder.add(Uint16Array.of(0, 2, 1, 0));
  recorder.finish();
  expect(reports[2]).toMatchObject({
    tokens: 4,
    nUsed: 2,
    layers: [
      { layer: 1, uses: [4, 1, 2, 1] },
      { layer: 2, uses: [2, 4, 1, 1] },
    ],
    usesByDepth: [7, 3, 2, 4],
    hits: 16,
    ramPoolBytes: 7,
    gpuMemory: { totalBytes: 9 },
  });
});

test('misses of the prompt and of earlier answers are not counted', () => {
  const { recorder, reports, residency } = setUp();
  residency.missesFromDisk = 5;
  residency.substitutes = 1;
  recorder.begin();
  residency.missesFromDisk = 6;
  residency.missesFromRam = 2;
  residency.substitutes = 3;
  recorder.add(Uint16Array.of(0, 3, 1, 2));
  expect(reports[0]).toMatchObject({ hits: 1, missesFromRam: 2, missesFromDisk: 1, substitutes: 2 });
});

test('an answer without a token reports nothing', () => {
  const { recorder, reports } = setUp();
  recorder.finish();
  expect(reports).toEqual([]);
});

test('an answer that goes on after a reset counts its own misses on both engines', () => {
  const { recorder, reports, residency, moveTo, wait } = setUp();
  recorder.begin();
  residency.missesFromRam = 2;
  recorder.add(Uint16Array.of(0, 3, 1, 2));
  residency.missesFromRam = 3;
  const other = { ...residency, missesFromRam: 20, missesFromDisk: 9 }; // while everything was made again
  moveTo(other);
  recorder.resume();
  wait(250);
  other.missesFromDisk = 10;
  recorder.add(Uint16Array.of(0, 3, 1, 2));
  expect(reports[1]).toMatchObject({ tokens: 2, missesFromRam: 3, missesFromDisk: 1 });
});
