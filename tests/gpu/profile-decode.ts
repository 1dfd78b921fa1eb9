/**
 * Times a decode step kernel by kernel: node main/hosts/launcher/with-node.mjs tests/gpu/profile-decode.ts MODEL.gguf [POSITION] [no-subgroups]
 * By slope: (time of 4n repeats − time of n) / 3n, least times of several rounds, so that submission and read-back cancel. A software
 * adapter is timed by the processor time of this process (all threads): other programs disturb it less.
 */
import { readModel } from '../../gpu/architectures/read-model.ts';
import { encodeDispatches, type BoundDispatch } from '../../gpu/device/pipelines.ts';
import { BufferUsage } from '../../gpu/device/usage.ts';
import { DecodePlan } from '../../gpu/runtime/decode-plan.ts';
import { loadModelBuffers } from '../../gpu/runtime/weights.ts';
import { openModelFile } from '../../main/library/model-file.ts';
import { openTestDevice } from './node-gpu.ts';

const [path, positionText = '20', mode] = process.argv.slice(2);
const position = Number(positionText);
const gpu = await openTestDevice(mode === 'no-subgroups' ? { disable: ['subgroups'] } : {});
if (!gpu || !path) throw new Error('give a model file, on a machine with an adapter');
const opened = await openModelFile(path);
const model = readModel(opened.file);
const contextTokens = Math.max(256, position + 1);
const buffers = await loadModelBuffers(gpu, model, { contextTokens });
const usage = BufferUsage.STORAGE | BufferUsage.COPY_DST | BufferUsage.COPY_SRC;
const state = await gpu.buffers.allocate({ label: 'state', sizeBytes: 256, usage, account: 'activations' });
const plan = await DecodePlan.create({
  gpu,
  model,
  buffers,
  contextTokens,
  kvType: 'f16',
  expertsUsed: model.layers.map(({ ffn }) => (ffn.kind === 'moe' ? ffn.moe.nExpertsUsed : 0)),
  routingMargins: model.layers.map(() => 0),
  state: { buffer: state, offsetBytes: 0, sizeBytes: 256 },
});
plan.setSampling({ temperature: 0, topK: 0, topP: 1, minP: 0, seed: 0 });

/** A whole token, so that every buffer holds something sensible. */
plan.setState(position, 1);
await time(plan.dispatches(position));
plan.setState(position, 1);

const byName = new Map<string, BoundDispatch[]>();
for (const dispatch of plan.dispatches(position)) byName.set(dispatch.name, [...(byName.get(dispatch.name) ?? []), dispatch]);
let totalMs = 0;
for (const [name, dispatches] of byName) {
  plan.setState(position, 1);
  const ms = name.startsWith('sample') ? await slope(dispatches, 1) : await slope(dispatches, 3);
  totalMs += ms;
  console.log(
    `${name.padEnd(18)} ${String(dispatches.length).padStart(4)} × ${((ms / dispatches.length) * 1000).toFixed(0).padStart(7)} µs = ${ms.toFixed(2)} ms`,
  );
}
console.log(
  `sum ${totalMs.toFixed(2)} ms${gpu.capabilities.software ? ' of processor time' : ''} on ${gpu.capabilities.description}`,
);
gpu.dispose();
process.exit(0);

/** Milliseconds for all of `dispatches` once. */
async function slope(dispatches: readonly BoundDispatch[], n: number): Promise<number> {
  const repeat = (times: number) => Array.from({ length: times }, () => dispatches).flat();
  await time(dispatches);
  let [few, many] = [Infinity, Infinity];
  for (let round = 0; round < 5; round++) {
    few = Math.min(few, await time(repeat(n)));
    many = Math.min(many, await time(repeat(4 * n)));
  }
  return (many - few) / (3 * n);
}

async function time(dispatches: readonly BoundDispatch[]): Promise<number> {
  const encoder = gpu!.device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  encodeDispatches(pass, dispatches);
  pass.end();
  const commands = encoder.finish();
  await gpu!.idle();
  const startMs = nowMs();
  gpu!.device.queue.submit([commands]);
  await gpu!.idle();
  return nowMs() - startMs;
}

function nowMs(): number {
  if (!gpu!.capabilities.software) return performance.now();
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
