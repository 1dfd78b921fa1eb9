/** Every tensor type's snippet against its CPU codec: `load32` bit for bit where ggml's arithmetic is a product, `dot32` by NMSE. */
import { afterAll, describe, expect, test } from 'vitest';
import { composeProgram } from '../device/compose.ts';
import { BufferUsage, MapMode } from '../device/usage.ts';
import { dequantise, quantFormat, quantise } from '../quant/formats.ts';
import { toPlanes } from '../quant/planes.ts';
import { COMPUTE_TYPES, type ComputeType } from '../quant/types.ts';
import { openTestDevice } from '../../tests/gpu/node-gpu.ts';

const BODY = `
@group(0) @binding(0) var<storage, read> weights: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> loaded: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> dots: array<f32>;
fn w_read(i: u32) -> vec4<u32> { return weights[i]; }
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let unit = id.x;
  if (unit >= N_UNITS) { return; }
  var values = w_load32(0u, BASE, N_UNITS, unit);
  var inputs: array<vec4<f32>, 8>;
  for (var j = 0u; j < 8u; j++) {
    loaded[unit * 8u + j] = values[j];
    inputs[j] = x[unit * 8u + j];
  }
  dots[unit] = w_dot32(0u, BASE, N_UNITS, unit, &inputs);
}`;

const BASE_VEC4 = 3;
const N_WEIGHTS = 256 * 37; // not a multiple of any plane's vec4
/** Types whose weights are a product and an offset. */
const SUMS: readonly ComputeType[] = ['Q4_1', 'Q5_1', 'Q2_K', 'Q4_K', 'Q5_K'];
const gpu = await openTestDevice();
afterAll(() => gpu?.dispose());

describe.skipIf(!gpu)('quant snippets', () => {
  for (const type of COMPUTE_TYPES) {
    test(type, async () => {
      const { device } = gpu!;
      const seed = 7;
      const source = Float32Array.from({ length: N_WEIGHTS }, (_, i) => Math.sin(i * 12.9898 + seed) * (i % 97 === 0 ? 8 : 0.05));
      const blocks = quantise(type, source);
      const expected = dequantise(type, blocks);
      const format = quantFormat(type);
      const planes = toPlanes(format, blocks, N_WEIGHTS / format.blockWeights);
      const weights = new Uint8Array(BASE_VEC4 * 16 + planes.length);
      weights.set(planes, BASE_VEC4 * 16);
      const x = Float32Array.from({ length: N_WEIGHTS }, (_, i) => Math.cos(i * 0.7));
      const nUnits = N_WEIGHTS / 32;

      const program = composeProgram({
        name: `snippet-${type}`,
        body: BODY,
        bindings: ['read', 'read', 'read-write', 'read-write'],
        consts: { N_UNITS: nUnits, BASE: BASE_VEC4 },
        types: [type],
      });
      await gpu!.createPipelines([program]);
      const usage = BufferUsage.STORAGE | BufferUsage.COPY_DST | BufferUsage.COPY_SRC;
      const sizes = [weights.length, x.byteLength, N_WEIGHTS * 4, nUnits * 4];
      const buffers = await gpu!.buffers.allocateAll(
        sizes.map((sizeBytes, i) => ({ label: `b${i}`, sizeBytes, usage, account: 'activations' as const })),
      );
      device.queue.writeBuffer(buffers[0], 0, weights);
      device.queue.writeBuffer(buffers[1], 0, x);
      const bound = gpu!.bind({
        program,
        ranges: buffers.map((buffer) => ({ buffer, offsetBytes: 0, sizeBytes: buffer.size })),
        grid: [Math.ceil(nUnits / 64), 1, 1],
      });
      const read = await gpu!.buffers.allocate({
        label: 'read',
        sizeBytes: buffers[2].size + buffers[3].size,
        usage: BufferUsage.MAP_READ | BufferUsage.COPY_DST,
        account: 'staging',
      });
      const encoder = device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      pass.setPipeline(bound.pipeline);
      pass.setBindGroup(0, bound.bindGroup);
      pass.dispatchWorkgroups(...bound.grid);
      pass.end();
      encoder.copyBufferToBuffer(buffers[2], 0, read, 0, buffers[2].size);
      encoder.copyBufferToBuffer(buffers[3], 0, read, buffers[2].size, buffers[3].size);
      device.queue.submit([encoder.finish()]);
      await read.mapAsync(MapMode.READ);
      const result = new Float32Array(read.getMappedRange().slice(0));
      const loaded = result.subarray(0, N_WEIGHTS);
      const dots = result.subarray(N_WEIGHTS, N_WEIGHTS + nUnits);
      // A product d·q is one rounding everywhere; d·q + m may be fused, which rounds once instead of twice.
      const exact = !SUMS.includes(type);
      let largest = 0;
      for (let i = 0; i < N_WEIGHTS; i++) largest = Math.max(largest, Math.abs(expected[i]));
      for (let i = 0; i < N_WEIGHTS; i++) {
        const wrong = Math.abs(loaded[i] - expected[i]);
        if (!(wrong <= (exact ? 0 : 1e-7 * largest))) throw new Error(`${type} weight ${i}: ${loaded[i]} for ${expected[i]}`);
      }
      let error = 0;
      let power = 0;
      for (let unit = 0; unit < nUnits; unit++) {
        let dot = 0;
        for (let i = unit * 32; i < unit * 32 + 32; i++) dot += expected[i] * x[i];
        error += (dots[unit] - dot) ** 2;
        power += dot ** 2;
      }
      expect(error / power).toBeLessThan(1e-12);
      for (const buffer of [...buffers, read]) gpu!.buffers.release(buffer);
    });
  }
});
