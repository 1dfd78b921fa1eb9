/**
 * WebGPU in Node through the npm package `webgpu` (Dawn). It is imported only when asked for (its binary is large), and what it
 * hands out stays referenced for the life of the process: dropping the object of `create()` crashed Node in 3 of 3 runs.
 */
import { engineError } from '../../../gpu/errors.ts';

export const ADAPTER_CHOICES = ['auto', 'swiftshader', 'lavapipe'] as const;
export type AdapterChoice = (typeof ADAPTER_CHOICES)[number];

/** Part of the adapter's name in Dawn's list. Which drivers Vulkan finds at all is set by launcher/vulkan.mjs before the start. */
const DAWN_NAMES = { swiftshader: 'SwiftShader', lavapipe: 'llvmpipe' } as const;

const kept = new Map<AdapterChoice, GPU>();

/** Rejects with `gpu.no-adapter` when the chosen software adapter is not there. With `auto` the device ladder finds that out. */
export async function nodeGpu(adapter: AdapterChoice = 'auto'): Promise<GPU> {
  const known = kept.get(adapter);
  if (known) return known;
  const { create, globals } = await loadDawn();
  Object.assign(globalThis, globals); // GPUBufferUsage and its kind, which engine code reads as globals
  const gpu = create(adapter === 'auto' ? [] : [`adapter=${DAWN_NAMES[adapter]}`]);
  kept.set(adapter, gpu);
  if (adapter !== 'auto') await probe(gpu, adapter);
  return gpu;
}

async function loadDawn(): Promise<typeof import('webgpu')> {
  try {
    return await import('webgpu');
  } catch (error) {
    throw engineError(
      'gpu.no-adapter',
      `WebGPU for Node could not be loaded on ${process.platform}-${process.arch}: ${(error as Error).message.split('\n')[0]}. ` +
        'Run "npm install" again; on Linux a Vulkan loader (libvulkan.so.1) is needed too.',
      { platform: process.platform, arch: process.arch },
      error,
    );
  }
}

async function probe(gpu: GPU, adapter: AdapterChoice): Promise<void> {
  let found: string;
  try {
    if (await gpu.requestAdapter()) return;
    found = 'none';
  } catch (error) {
    found = [...String((error as Error).message).matchAll(/name: '([^']*)'/g)].map((match) => match[1]).join(', ') || 'none';
  }
  throw engineError(
    'gpu.no-adapter',
    `The adapter ${adapter} was asked for, but is not there (found: ${found}). Use --adapter auto, or install its driver.`,
    { adapter, found },
  );
}
