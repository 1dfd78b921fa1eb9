/** The browser host in a process of its own: started, waited for until it says its link, ended and waited for. */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

export class HostProcess {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;

  /** `args` of Node: the script and what it is given. */
  constructor(args: readonly string[]) {
    this.#child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  }

  /** Waits for the link that opens the page. Call once. */
  async link(): Promise<string> {
    for await (const line of createInterface({ input: this.#child.stdout })) {
      const link = /^Conclave: (http:\/\/127\.0\.0\.1\S+)/.exec(line)?.[1];
      if (link) return link;
    }
    throw new Error('The host ended without a link.');
  }

  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, 'exit');
    this.#child.kill(signal);
    await gone;
  }
}
