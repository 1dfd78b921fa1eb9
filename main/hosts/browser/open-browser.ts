/** Opens a link in the user's own browser. The link is an argument of a program, never part of a shell's command line. */
import { spawn } from 'node:child_process';

/** The program and its arguments, or null where no browser can be had. */
export function browserCommand(
  url: string,
  platform: NodeJS.Platform = process.platform,
  environment: NodeJS.ProcessEnv = process.env,
): { readonly program: string; readonly args: readonly string[] } | null {
  if (platform === 'darwin') return { program: 'open', args: [url] };
  if (platform === 'win32') return { program: 'rundll32', args: ['url.dll,FileProtocolHandler', url] };
  // Without a display xdg-open would start a text browser in this terminal.
  if (!environment.DISPLAY && !environment.WAYLAND_DISPLAY) return null;
  return { program: 'xdg-open', args: [url] };
}

/** False when there is no browser to open; the caller has printed the link. */
export async function openBrowser(url: string): Promise<boolean> {
  const command = browserCommand(url);
  if (!command) return false;
  return new Promise((resolve) => {
    const child = spawn(command.program, command.args, { stdio: 'ignore', detached: true });
    child.once('error', () => resolve(false));
    child.once('spawn', () => {
      child.unref();
      resolve(true);
    });
  });
}
