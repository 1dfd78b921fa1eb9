/**
 * The Electron app: what must happen before `ready` (folder, switches, scheme, one instance), then `startApp`. A second start hands
 * its model files to the first and ends.
 */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { app, protocol } from 'electron';
import { startApp, type RunningApp } from './app.ts';
import { parseArguments } from './arguments.ts';
import { readGpuState, switchesFor } from './gpu-mode.ts';
import { waitForFormer } from './relaunch.ts';
import { SCHEME } from './scheme.ts';

// Electron itself and, in a clone, the folder that it was started with come first.
const given = parseArguments(process.argv.slice(app.isPackaged ? 1 : 2), process.cwd());
// A clone has its own profile beside the installed app's.
const dataFolder = given.dataFolder ?? path.join(app.getPath('appData'), app.isPackaged ? 'Conclave' : 'Conclave (clone)');
mkdirSync(path.join(dataFolder, 'chromium'), { recursive: true });
app.setPath('userData', dataFolder);
app.setPath('sessionData', path.join(dataFolder, 'chromium'));
app.setName('Conclave');

waitForFormer();
const gpuState = readGpuState(dataFolder);
for (const { name, value } of switchesFor(gpuState.mode, process.platform, (given) => app.commandLine.hasSwitch(given)))
  if (value === undefined) app.commandLine.appendSwitch(name);
  else app.commandLine.appendSwitch(name, value);

protocol.registerSchemesAsPrivileged([
  { scheme: SCHEME, privileges: { standard: true, secure: true, supportFetchAPI: true, codeCache: true } },
]);

if (!app.requestSingleInstanceLock({ modelFiles: given.modelFiles })) {
  console.error('Conclave is already running with this data folder: its window comes to the front.');
  app.exit(0);
} else {
  const waiting = [...given.modelFiles];
  let running: RunningApp | null = null;
  const open = (file: string) => (running ? running.openModel(file) : void waiting.push(file));
  app.on('second-instance', (_event, _argv, _folder, data) => {
    running?.show();
    for (const file of (data as { modelFiles?: readonly string[] }).modelFiles ?? []) open(file);
  });
  app.on('open-file', (event, file) => {
    event.preventDefault();
    open(file);
  });
  void app.whenReady().then(() => {
    running = startApp({ dataFolder, gpuState });
    for (const file of waiting.splice(0)) open(file);
  });
}
