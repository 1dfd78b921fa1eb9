/**
 * Does a model far larger than its budgets run inside a memory limit? `node main/hosts/launcher/with-node.mjs tests/offload/large-file.ts [--size
 * 8GiB] [--gpu 1GiB] [--ram 2GiB] [--prompt 512] [--tokens 64] [--file PATH] [--adapter lavapipe] [--no-limit] [--minutes M]` writes a model of random weights with 128
 * experts, 8 used (PATH is kept), loads it, reads the prompt and answers. Linux, as root. Exit code 1 where a budget was not held.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { mebibytes } from '../../gpu/residency/plan/words.ts';
import { largeContents, writeLargeModel } from '../fixtures/large-model.ts';
import { bytesOf, measureMemory, memoryTable, PROGRAM_BYTES, seconds } from './memory.ts';
import { MemoryGroup } from './memory-group.ts';

const { values } = parseArgs({
  options: {
    size: { type: 'string', default: '8GiB' },
    gpu: { type: 'string', default: '1GiB' },
    ram: { type: 'string', default: '2GiB' },
    prompt: { type: 'string', default: '512' },
    tokens: { type: 'string', default: '64' },
    file: { type: 'string' },
    adapter: { type: 'string', default: process.env.CONCLAVE_ADAPTER ?? 'auto' },
    'no-limit': { type: 'boolean', default: false },
    minutes: { type: 'string', default: 'Infinity' },
  },
});
const folder = mkdtempSync(path.join(os.tmpdir(), 'conclave-large-'));
const model = values.file ?? path.join(folder, 'large.gguf');
const [gpuBytes, ramBytes] = [bytesOf('gpu', values.gpu), bytesOf('ram', values.ram)];
/** Of a system's own; what the kernel keeps for the processes and the file's cache must fit there too. */
const limitBytes = gpuBytes + ramBytes + PROGRAM_BYTES + 256 * 2 ** 20;
const group = values['no-limit'] ? undefined : new MemoryGroup(`conclave-${process.pid}`, limitBytes);
try {
  if (!existsSync(model)) {
    const startMs = performance.now();
    await writeLargeModel(model, largeContents(bytesOf('size', values.size)));
    console.error(`${mebibytes(statSync(model).size)} written in ${seconds(performance.now() - startMs)}`);
  }
  // Else what another process left in the page cache, charged to that one, would stand in for the disk.
  execFileSync('dd', [`of=${model}`, 'oflag=nocache', 'conv=notrunc,fdatasync', 'count=0'], { stdio: 'ignore' });
  const verdict = await measureMemory({
    model,
    adapter: values.adapter,
    gpuBytes,
    ramBytes,
    promptTokens: Number(values.prompt),
    newTokens: Number(values.tokens),
    dataFolder: folder,
    group,
    limitSeconds: 60 * Number(values.minutes),
  });
  console.log(`a file of ${mebibytes(statSync(model).size)}`);
  console.log(memoryTable(verdict));
  if (group) {
    const charged = group.peakBytes();
    console.log(`memory limit ${mebibytes(limitBytes)}, charged at most ${charged === null ? 'unknown' : mebibytes(charged)}`);
  }
  process.exitCode = verdict.isLedgerWithin && verdict.isPssWithin ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
  group?.remove();
}
