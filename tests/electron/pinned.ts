/** The Electron that package.json names, where its binary was downloaded (`node node_modules/electron/install.js`). */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { ElectronProgram } from './stand-in.ts';

export function pinnedElectron(root: string): ElectronProgram {
  const folder = path.join(root, 'node_modules', 'electron');
  const { version } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')) as { version: string };
  const pathFile = path.join(folder, 'path.txt');
  if (!existsSync(pathFile))
    throw new Error(`Electron ${version} is not downloaded: run "node node_modules/electron/install.js" first`);
  return {
    executable: path.join(folder, 'dist', readFileSync(pathFile, 'utf8')),
    args: [root],
    name: `Electron ${version}`,
    standIn: false,
  };
}
