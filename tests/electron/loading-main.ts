/** A program with nothing but a window like the engine host's, for measurements in it. Arguments after `--`: options as JSON, model files. */
import path from 'node:path';
import { app, BrowserWindow, ipcMain, protocol } from 'electron';
import { pageAddress, SCHEME, serve } from '../../main/hosts/electron/scheme.ts';

const [options, ...files] = process.argv.slice(process.argv.indexOf('--') + 1);
protocol.registerSchemesAsPrivileged([{ scheme: SCHEME, privileges: { standard: true, secure: true } }]);
ipcMain.on('line', (_event, line: string) => void process.stdout.write(`${line}\n`));
ipcMain.on('end', () => app.exit(0));
void app.whenReady().then(async () => {
  protocol.handle(SCHEME, (request) => serve(request, __dirname));
  const preload = path.join(__dirname, 'loading-preload.cjs');
  const webPreferences = { preload, sandbox: false, contextIsolation: true, nodeIntegration: false, backgroundThrottling: false };
  const window = new BrowserWindow({ show: false, webPreferences });
  await window.loadURL(pageAddress('engine'));
  window.webContents.send('measure', files, JSON.parse(options));
});
