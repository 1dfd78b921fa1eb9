/** One start of the app under test: the process, its pages over DevTools, and an end that is waited for. */
import { spawn, type ChildProcess } from 'node:child_process';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { DevtoolsPage, waitFor } from './devtools.ts';
import { STAND_IN_SWITCHES, type ElectronProgram } from './stand-in.ts';

/** A software adapter compiles pipelines slowly, and the machine may have two cores. */
const START_LIMIT_MS = 60_000;

export class RunningApp {
  readonly #child: ChildProcess;
  readonly #exit: Promise<number | null>;
  readonly #output: string[] = [];
  readonly port: number;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
    const collect = (text: unknown) => void this.#output.push(String(text));
    child.stdout?.on('data', collect);
    child.stderr?.on('data', collect);
    this.#exit = new Promise((resolve) => child.on('close', (code) => resolve(code)));
  }

  static async start(
    program: ElectronProgram,
    args: readonly string[],
    options: { readonly switches?: readonly string[] } = {},
  ): Promise<RunningApp> {
    const port = await freePort();
    const all = [...program.args, ...(options.switches ?? switches(program)), `--remote-debugging-port=${port}`, ...args];
    // A group of its own, so that Electron's processes end together.
    const child = spawn(program.executable, all, { stdio: ['ignore', 'pipe', 'pipe'], detached: process.platform !== 'win32' });
    return new RunningApp(child, port);
  }

  get output(): string {
    return this.#output.join('');
  }

  page(name: 'chat' | 'engine'): Promise<DevtoolsPage> {
    return DevtoolsPage.find(this.port, `app://${name}/`, START_LIMIT_MS);
  }

  /** Waits for the end; null when it did not end by itself. */
  exitCode(limitMs: number): Promise<number | null> {
    return Promise.race([this.#exit, new Promise<null>((resolve) => setTimeout(() => resolve(null), limitMs))]);
  }

  /** For the end of a test, whatever happened. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.pid === undefined) return;
    try {
      if (process.platform === 'win32') this.#child.kill();
      else process.kill(-this.#child.pid, 'SIGKILL');
    } catch {
      return; // ended meanwhile
    }
    await waitFor('the end of the app', async () => this.#child.exitCode !== null || this.#child.signalCode !== null, 10_000);
  }
}

function switches(program: ElectronProgram): string[] {
  if (program.standIn) return [...STAND_IN_SWITCHES];
  if (process.platform === 'darwin') return [];
  const rootNeedsIt = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  return [...rootNeedsIt, '--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader', '--enable-unsafe-swiftshader'];
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
