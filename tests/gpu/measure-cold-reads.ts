/**
 * What one read for each expert would save over three (gate, up, down), from a disk whose cache was emptied of the file before every round (Linux,
 * dd): node tests/gpu/measure-cold-reads.ts MODEL.gguf. Experts come in a scattered order, with one and with four at once.
 */
import { execFileSync } from 'node:child_process';
import { readModel } from '../../gpu/architectures/read-model.ts';
import { ExpertStore, stagedParts } from '../../gpu/residency/cache/expert-store.ts';
import { median } from '../../main/hosts/cli/commands/bench.ts';
import { openModelFile } from '../../main/library/model-file.ts';

const ROUNDS = 5;
const EXPERTS = 48;
const path = process.argv[2];
const { file } = await openModelFile(path);
const [source] = file.sources;
const all = readModel(file).layers.flatMap(({ index, ffn }) =>
  ffn.kind === 'moe' ? ffn.gate.map((_, expert) => ({ layer: index, expert, ffn, isScan: false })) : [],
);
const { sizeBytes } = stagedParts(all[0]);
const picked = Array.from({ length: EXPERTS }, (_, i) => (i * 37) % all.length);
const store = new ExpertStore(file.sources, 0);
const ways = {
  three: (i: number, target: Uint8Array) => store.read(all[i], target, () => undefined),
  one: (i: number, target: Uint8Array) =>
    source.readInto((i * sizeBytes) % (source.sizeBytes - sizeBytes), target.subarray(0, sizeBytes)),
};
for (const atOnce of [1, 4]) {
  const msPerExpert: Record<keyof typeof ways, number[]> = { three: [], one: [] };
  for (let round = 0; round < ROUNDS; round++) {
    for (const way of ['three', 'one'] as const) {
      execFileSync('dd', [`of=${path}`, 'oflag=nocache', 'conv=notrunc,fdatasync', 'count=0'], { stdio: 'ignore' });
      let next = 0;
      const startMs = performance.now();
      const reader = async () => {
        const target = new Uint8Array(sizeBytes).fill(1);
        while (next < EXPERTS) await ways[way](picked[next++], target);
      };
      await Promise.all(Array.from({ length: atOnce }, reader));
      msPerExpert[way].push((performance.now() - startMs) / EXPERTS);
    }
  }
  const [three, one] = [median(msPerExpert.three), median(msPerExpert.one)];
  console.log(
    `${atOnce} at once, experts of ${(sizeBytes / 2 ** 20).toFixed(2)} MiB: three reads ${three.toFixed(2)} ms, one ${one.toFixed(2)} ms (${(three / one).toFixed(2)} ×)`,
  );
}
