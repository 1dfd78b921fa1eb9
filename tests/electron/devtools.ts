/**
 * A page of a running Electron over the Chrome DevTools Protocol (`--remote-debugging-port`), as little of it as the tests need.
 * Playwright cannot attach here: it asks Electron for browser contexts, which Electron does not have.
 */

export interface PageTarget {
  readonly url: string;
  readonly webSocketDebuggerUrl: string;
}

export async function listPages(port: number): Promise<PageTarget[]> {
  const response = await fetch(`http://127.0.0.1:${port}/json/list`);
  const targets = (await response.json()) as (PageTarget & { type: string })[];
  return targets.filter((target) => target.type === 'page');
}

interface Pending {
  readonly resolve: (result: never) => void;
  readonly reject: (error: Error) => void;
}

export class DevtoolsPage {
  readonly #socket: WebSocket;
  readonly #pending = new Map<number, Pending>();
  #nextId = 1;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.onmessage = ({ data }) => {
      const { id, result, error } = JSON.parse(String(data)) as { id?: number; result: never; error?: { message: string } };
      const pending = id === undefined ? undefined : this.#pending.get(id);
      if (!pending || id === undefined) return;
      this.#pending.delete(id);
      if (error) pending.reject(new Error(error.message));
      else pending.resolve(result);
    };
    socket.onclose = () => {
      for (const { reject } of this.#pending.values()) reject(new Error('the page is gone'));
      this.#pending.clear();
    };
  }

  /** Waits for a page whose address starts with `address`. */
  static async find(port: number, address: string, limitMs: number): Promise<DevtoolsPage> {
    const target = await waitFor(
      `a page at ${address}`,
      async () => (await listPages(port).catch(() => [])).find((page) => page.url.startsWith(address)),
      limitMs,
    );
    return DevtoolsPage.#attach(target.webSocketDebuggerUrl, target.url);
  }

  /** The program itself, for what is no page's. */
  static async browser(port: number): Promise<DevtoolsPage> {
    const response = await fetch(`http://127.0.0.1:${port}/json/version`);
    const { webSocketDebuggerUrl } = (await response.json()) as { webSocketDebuggerUrl: string };
    return DevtoolsPage.#attach(webSocketDebuggerUrl, 'the browser');
  }

  static async #attach(address: string, name: string): Promise<DevtoolsPage> {
    const socket = new WebSocket(address);
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = () => reject(new Error(`could not attach to ${name}`));
    });
    return new DevtoolsPage(socket);
  }

  send<T>(method: string, params: object = {}): Promise<T> {
    const id = this.#nextId++;
    return new Promise<T>((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      this.#socket.send(JSON.stringify({ id, method, params }));
    });
  }

  /** The value of an expression in the page's own world; a promise is awaited. Rejects with what it threw. */
  async evaluate<T>(expression: string): Promise<T> {
    const { result, exceptionDetails } = await this.send<{
      result: { value: T };
      exceptionDetails?: { text: string; exception?: { description?: string } };
    }>('Runtime.evaluate', {
      expression,
      awaitPromise: true,
      returnByValue: true,
      userGesture: true,
      allowUnsafeEvalBlockedByCSP: false,
    });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  }

  /** Waits until the expression is truthy and returns its value. */
  waitUntil<T>(what: string, expression: string, limitMs: number): Promise<T> {
    return waitFor(what, () => this.evaluate<T>(expression), limitMs);
  }

  async type(text: string): Promise<void> {
    await this.send('Input.insertText', { text });
  }

  async press(key: 'Enter'): Promise<void> {
    const event = { key, code: key, windowsVirtualKeyCode: 13, nativeVirtualKeyCode: 13 };
    await this.send('Input.dispatchKeyEvent', { type: 'keyDown', text: '\r', ...event });
    await this.send('Input.dispatchKeyEvent', { type: 'keyUp', ...event });
  }

  /** PNG bytes. */
  async screenshot(): Promise<Uint8Array> {
    const { data } = await this.send<{ data: string }>('Page.captureScreenshot', { format: 'png' });
    return Buffer.from(data, 'base64');
  }

  close(): void {
    this.#socket.close();
  }
}

/** Polls until `look` gives something truthy; rejects with what was waited for, and the last error. */
export async function waitFor<T>(what: string, look: () => Promise<T | undefined>, limitMs: number): Promise<T> {
  const end = Date.now() + limitMs;
  let last = '';
  for (;;) {
    try {
      const found = await look();
      if (found) return found;
    } catch (error) {
      last = ` (${(error as Error).message})`;
    }
    if (Date.now() > end) throw new Error(`waited ${limitMs / 1000} s in vain for ${what}${last}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
