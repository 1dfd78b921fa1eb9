/**
 * Which switches Chromium is started with, so that WebGPU comes up: decided before `ready` from a small file that outlives the
 * process. `hardware` → (no adapter, or the GPU process died twice) `software` → (died twice again) `plain`, which adds nothing and
 * leaves history readable. The product never drops Chromium's sandbox by itself.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

export type GpuMode = 'hardware' | 'software' | 'plain';

export interface GpuState {
  readonly mode: GpuMode;
  /** One sentence for the person, when the mode is not the usual one. */
  readonly reason: string | null;
}

export interface Switch {
  readonly name: string;
  readonly value?: string;
}

const USUAL: GpuState = { mode: 'hardware', reason: null };
const FILE = 'gpu.json';

/** The person's own switches on the command line win: nothing is added beside them. */
const OWN_SWITCHES = ['enable-unsafe-webgpu', 'use-webgpu-adapter', 'use-vulkan', 'use-angle', 'disable-gpu'];

export function switchesFor(mode: GpuMode, platform: NodeJS.Platform, isGiven: (name: string) => boolean): Switch[] {
  if (mode === 'plain' || OWN_SWITCHES.some(isGiven)) return [];
  if (mode === 'software') {
    const swiftShader = [
      { name: 'enable-unsafe-webgpu' },
      { name: 'use-webgpu-adapter', value: 'swiftshader' },
      { name: 'enable-unsafe-swiftshader' },
    ];
    const vulkan = [
      { name: 'enable-features', value: 'Vulkan' },
      { name: 'use-vulkan', value: 'swiftshader' },
    ];
    return platform === 'linux' ? [...swiftShader, ...vulkan] : swiftShader;
  }
  if (platform !== 'linux') return [];
  // Chromium keeps WebGPU behind these on Linux, whatever the adapter. ANGLE on Vulkan draws on X11 only.
  return [
    { name: 'enable-unsafe-webgpu' },
    { name: 'enable-features', value: 'Vulkan,DefaultANGLEVulkan,VulkanFromANGLE' },
    { name: 'ozone-platform', value: 'x11' },
  ];
}

/** What the next start should try after this one found no adapter; null when nothing is left to try. */
export function afterNoAdapter(state: GpuState): GpuState | null {
  if (state.mode !== 'hardware') return null;
  return { mode: 'software', reason: 'No graphics adapter for WebGPU was found, so Conclave computes on the processor.' };
}

/** What the next start should be after `deaths` of the GPU process in this one; null: as before. */
export function afterGpuDeaths(state: GpuState, deaths: number): GpuState | null {
  if (deaths < 2 || state.mode === 'plain') return null;
  const lower = state.mode === 'hardware' ? 'software' : 'plain';
  const without =
    lower === 'software' ? 'computes on the processor' : 'started without WebGPU, so that only reading conversations is possible';
  return {
    mode: lower,
    reason: `The graphics process ended twice, so Conclave ${without}. Update the graphics driver, then delete ${FILE} in the data folder.`,
  };
}

export function readGpuState(dataFolder: string): GpuState {
  try {
    const { mode, reason } = JSON.parse(readFileSync(path.join(dataFolder, FILE), 'utf8')) as Partial<GpuState>;
    if (mode === 'hardware' || mode === 'software' || mode === 'plain')
      return { mode, reason: typeof reason === 'string' ? reason : null };
  } catch {
    // Not written yet, or damaged: the usual mode finds out again.
  }
  return USUAL;
}

export function writeGpuState(dataFolder: string, state: GpuState): void {
  writeFileSync(path.join(dataFolder, FILE), JSON.stringify(state));
}
