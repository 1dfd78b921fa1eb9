/** What the Electron host does around the engine's calls: keeps the computer awake while it answers, notices that there is no adapter. */
import { powerSaveBlocker } from 'electron';
import type { EngineClient } from '../../contract/engine.ts';
import { isConclaveError } from '../../../gpu/errors.ts';

export function watchEngine(engine: EngineClient, onNoAdapter: () => void): EngineClient {
  return {
    async load(request, onProgress, signal) {
      try {
        return await engine.load(request, onProgress, signal);
      } catch (error) {
        if (isConclaveError(error) && error.code === 'gpu.no-adapter') onNoAdapter();
        throw error;
      }
    },
    async generate(request, callbacks, signal) {
      const blocker = powerSaveBlocker.start('prevent-app-suspension');
      try {
        return await engine.generate(request, callbacks, signal);
      } finally {
        powerSaveBlocker.stop(blocker);
      }
    },
    probe: (surroundings, signal) => engine.probe(surroundings, signal),
    limitRamPool: (limitBytes) => engine.limitRamPool(limitBytes),
    unload: () => engine.unload(),
    onReset: (listener) => engine.onReset(listener),
    onLost: (listener) => engine.onLost(listener),
    close: () => engine.close(),
  };
}
