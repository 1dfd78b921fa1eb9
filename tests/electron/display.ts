/** A display for tests that open windows. */
import { spawnSync } from 'node:child_process';

/** On Linux without a display the whole program is started again under xvfb-run, where there is one, and this process ends with it. */
export function onADisplay(): void {
  if (process.platform !== 'linux' || process.env.DISPLAY) return;
  const again = ['-a', '-s', '-screen 0 1280x900x24', process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const { error, status } = spawnSync('xvfb-run', again, { stdio: 'inherit' });
  if (!error) process.exit(status ?? 1);
}
