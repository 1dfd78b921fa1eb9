/** In the engine host's place: measures loading of the model files that main was started with, and prints a line for each. */
import { ipcRenderer } from 'electron';
import { openDevice } from '../../gpu/device/open-device.ts';
import { openModelFile } from '../../main/library/model-file.ts';
import { loadingRates, ratesText, type LoadingOptions } from '../gpu/loading-rates.ts';

ipcRenderer.once('measure', (_event, files: readonly string[], options: LoadingOptions) => {
  void measure(files, options)
    .catch((error: unknown) => ipcRenderer.send('line', error instanceof Error ? error.stack : String(error)))
    .then(() => ipcRenderer.send('end'));
});

async function measure(files: readonly string[], options: LoadingOptions): Promise<void> {
  const gpu = await openDevice(navigator.gpu, { portableLimits: true });
  ipcRenderer.send('line', gpu.capabilities.description);
  for (const path of files) {
    const { file, close } = await openModelFile(path);
    ipcRenderer.send('line', ratesText(await loadingRates(gpu, file, options)));
    await close();
  }
}
