/** The services' engine in this very process: a LocalEngine over WebGPU in Node and files on disk. */
import { openDevice } from '../../../gpu/device/open-device.ts';
import { createEngine } from '../../../gpu/runtime/engine.ts';
import { LocalEngine } from '../../../gpu/runtime/local-engine.ts';
import type { EngineClient } from '../../contract/engine.ts';
import { openFileSource } from './file-source.ts';
import { nodeGpu, type AdapterChoice } from './gpu.ts';

export function nodeEngineClient(adapter: AdapterChoice): EngineClient {
  return new LocalEngine({
    openDevice: async () => openDevice(await nodeGpu(adapter)),
    openSource: openFileSource,
    createEngine,
  });
}
