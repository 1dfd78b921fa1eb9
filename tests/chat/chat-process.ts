/** The client's end of chatting-host.ts: asks, hears the events in order, and kills. What it was told is what a page would have shown. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Channel, RequestOf, ResponseOf } from '../../main/contract/channels.ts';
import type { WireError } from '../../main/contract/errors.ts';
import type { AnyEvent } from '../../main/event-bus.ts';

const program = fileURLToPath(new URL('./chatting-host.ts', import.meta.url));

/** How the engine answers from now on. */
export interface Script {
  readonly text: string;
  readonly prefillMs: number;
  readonly tokenMs: number;
}

export interface ToChat {
  readonly number: number;
  readonly script: Script;
  readonly channel: Channel;
  readonly payload: unknown;
}

export type FromChat =
  | { readonly what: 'ready' }
  | { readonly what: 'event'; readonly event: AnyEvent; readonly atMs: number }
  | { readonly what: 'response'; readonly number: number; readonly response: unknown }
  | { readonly what: 'refusal'; readonly number: number; readonly error: WireError };

export class ChatProcess {
  readonly #child: ChildProcess;
  readonly #open = new Map<number, { resolve: (response: unknown) => void; reject: (error: Error) => void }>();
  readonly #waiting = new Set<() => void>();
  #isReady = false;
  #isKilled = false;
  #nextNumber = 0;
  script: Script = { text: '', prefillMs: 10, tokenMs: 10 };
  /** Called for each event, in order, at the services' time `atMs`. */
  onEvent: (event: AnyEvent, atMs: number) => void = () => {};

  constructor(folder: string) {
    this.#child = fork(program, [folder], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    this.#child.on('message', (message: FromChat) => this.#take(message));
    this.#child.on('exit', (code, signal) => {
      if (!this.#isKilled) throw new Error(`the services ended by themselves (${code ?? signal})`);
    });
  }

  ready(): Promise<void> {
    return this.until(() => this.#isReady);
  }

  /** Never settles when the process is killed before it answers. */
  request<C extends Channel>(channel: C, payload: RequestOf<C>): Promise<ResponseOf<C>> {
    const number = this.#nextNumber++;
    const message: ToChat = { number, script: this.script, channel, payload };
    this.#child.send(message);
    return new Promise((resolve, reject) => {
      this.#open.set(number, { resolve: (response) => resolve(response as ResponseOf<C>), reject });
    });
  }

  /** Looks after each message. */
  until(isDone: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!isDone()) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
      look();
    });
  }

  /** SIGKILL. Resolves when the process is gone and all that it said was heard. */
  async kill(): Promise<void> {
    this.#isKilled = true;
    const gone = Promise.all([once(this.#child, 'exit'), once(this.#child, 'disconnect')]);
    this.#child.kill('SIGKILL');
    await gone;
  }

  #take(message: FromChat): void {
    if (message.what === 'ready') this.#isReady = true;
    else if (message.what === 'event') this.onEvent(message.event, message.atMs);
    else {
      const open = this.#open.get(message.number);
      this.#open.delete(message.number);
      if (message.what === 'response') open?.resolve(message.response);
      else open?.reject(new Error(`${message.error.code}: ${message.error.message}`));
    }
    for (const look of [...this.#waiting]) look();
  }
}
