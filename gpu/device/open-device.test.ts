/** The adapter ladder, on scripted adapters. */
import { expect, test } from 'vitest';
import { openDevice } from './open-device.ts';

interface Script {
  /** What each rung answers: an adapter name, null, or an error. */
  readonly [rung: string]: string | null | Error;
}

interface Asked {
  readonly rungs: string[];
  readonly devices: GPUDeviceDescriptor[];
}

const LIMITS = { maxStorageBufferBindingSize: 2 ** 31, maxBufferSize: 2 ** 32 };

function scriptedGpu(script: Script, features: string[] = [], refuse: string[] = []): { gpu: GPU; asked: Asked } {
  const asked: Asked = { rungs: [], devices: [] };
  const adapter = (name: string) => ({
    info: { vendor: name, architecture: '', device: '', description: '', subgroupMinSize: 8, subgroupMaxSize: 32 },
    features: new Set(features),
    limits: LIMITS,
    async requestDevice(descriptor: GPUDeviceDescriptor) {
      asked.devices.push(descriptor);
      if (refuse.includes(name)) throw new Error('no device today');
      return {
        features: new Set(descriptor.requiredFeatures),
        limits: { ...LIMITS, ...descriptor.requiredLimits },
        lost: new Promise(() => undefined),
        destroy: () => undefined,
        addEventListener: () => undefined,
      };
    },
  });
  const gpu = {
    wgslLanguageFeatures: new Set(['subgroup_id']),
    async requestAdapter(options: GPURequestAdapterOptions) {
      const rung = options.forceFallbackAdapter ? 'software' : options.powerPreference!;
      asked.rungs.push(rung);
      const answer = script[rung];
      if (answer instanceof Error) throw answer;
      return answer ? adapter(answer) : null;
    },
  };
  return { gpu: gpu as unknown as GPU, asked };
}

test('the first rung that gives a device', async () => {
  const { gpu, asked } = scriptedGpu({ 'high-performance': 'big', 'low-power': 'small' });
  expect((await openDevice(gpu)).capabilities.description).toBe('big');
  expect(asked.rungs).toEqual(['high-performance']);
  await openDevice(gpu, { powerPreference: 'low-power' });
  expect(asked.rungs).toEqual(['high-performance', 'low-power']);
});

test('down the ladder past none, errors and refused devices', async () => {
  const script = { 'high-performance': new Error('driver crashed'), 'low-power': 'small', software: 'SwiftShader' };
  const { gpu, asked } = scriptedGpu(script, [], ['small']);
  const { capabilities } = await openDevice(gpu);
  expect(capabilities).toMatchObject({ description: 'SwiftShader', software: true, subgroupMaxSize: 0 });
  expect(asked.rungs).toEqual(['high-performance', 'low-power', 'software']);
});

test('no rung: a typed error that says what each answered', async () => {
  const { gpu } = scriptedGpu({ 'high-performance': null, 'low-power': 'small', software: new Error('nothing') }, [], ['small']);
  await expect(openDevice(gpu)).rejects.toMatchObject({
    code: 'gpu.no-adapter',
    message: expect.stringMatching(/high-performance: none; low-power \(small\): no device today; software: Error: nothing/),
  });
});

test('asks for what the adapter has, less what is switched off; portable limits ask for nothing', async () => {
  const { gpu, asked } = scriptedGpu({ 'high-performance': 'big' }, ['subgroups', 'shader-f16', 'timestamp-query']);
  const { capabilities } = await openDevice(gpu);
  expect(capabilities).toMatchObject({ subgroupMinSize: 8, subgroupMaxSize: 32, shaderF16: true, software: false });
  expect(capabilities.languageFeatures.has('subgroup_id')).toBe(true);
  await openDevice(gpu, { portableLimits: true, disable: ['subgroups'], asHardware: true });
  expect(asked.devices).toEqual([
    { label: 'conclave', requiredFeatures: ['subgroups', 'shader-f16'], requiredLimits: LIMITS },
    { label: 'conclave', requiredFeatures: ['shader-f16'], requiredLimits: {} },
  ]);
});
