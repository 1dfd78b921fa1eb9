/** Where a clone keeps its data: the system's place for applications, beside the installed app's own folder, never in it. */
import os from 'node:os';
import path from 'node:path';

/** The same place as Electron's `appData`, so that the app and its browser fallback share one history. */
export function cloneDataFolder(platform = process.platform, environment = process.env, home = os.homedir()) {
  const roots = {
    win32: environment.APPDATA || path.join(home, 'AppData', 'Roaming'),
    darwin: path.join(home, 'Library', 'Application Support'),
  };
  return path.join(roots[platform] ?? (environment.XDG_CONFIG_HOME || path.join(home, '.config')), 'Conclave (clone)');
}

/** `--data`, else CONCLAVE_DATA, else the clone's own. Relative paths are meant from where the command was typed. */
export function chooseDataFolder(given, environment = process.env) {
  const chosen = given ?? environment.CONCLAVE_DATA;
  return chosen ? path.resolve(environment.INIT_CWD ?? process.cwd(), chosen) : cloneDataFolder();
}
