/**
 * Brings one file onto the disk, whatever the connection does: goes on where it stopped, waits longer after each try that brought nothing,
 * and ends only with the whole file, held against its size and checksum, or with a reason that another try would not change.
 */
import { engineError, isConclaveError } from '../../../gpu/errors.ts';
import type { Clock } from '../../clock.ts';
import { serviceError, type WireError } from '../../contract/errors.ts';
import type { DownloadFileRecord } from '../../database/downloads.ts';
import { mayBeGguf } from '../gguf-magic.ts';
import { PartFile } from './part-file.ts';
import { openRemote, TryLater, type Fetch, type RemoteFile } from './remote.ts';
import { StallWatch } from './stall-watch.ts';

/** Tries in a row that bring not one byte; with the waits below about two and a half minutes. */
const MOST_FRUITLESS_TRIES = 8;
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 30_000;
/** A server may ask for more patience than that, but not for more than this. */
const LONGEST_ASKED_WAIT_MS = 5 * 60_000;
/** At most so much is lost by a kill. */
const FLUSH_EVERY_MS = 500;
const FLUSH_EVERY_BYTES = 64 * 2 ** 20;
/** Far above any model; a server that announces more is wrong. */
const MAX_FILE_BYTES = 4 * 2 ** 40;

export interface TransferOptions {
  readonly file: DownloadFileRecord;
  readonly partPath: string;
  readonly fetch: Fetch;
  readonly clock: Clock;
  /** Aborting ends it after the chunk in progress; what came is flushed and committed. */
  readonly signal: AbortSignal;
  /** Commits what is known of the file. */
  readonly save: (file: DownloadFileRecord) => void;
  /** The address pinned to a commit, once the server names it. */
  readonly onPinned: (url: string) => void;
  readonly onPhase: (phase: 'checking' | 'running' | 'waiting', error: WireError | null) => void;
  /** Bytes of this file that are here, or (while checking) read again. */
  readonly onProgress: (bytes: number) => void;
  /** Rejects when the disk has no room for so many more bytes. */
  readonly checkSpace: (neededBytes: number) => Promise<void>;
}

/** Resolves when the file is whole and checked, and that is committed. Rejects with download.*, data.*, or the signal's reason. */
export async function transfer(options: TransferOptions): Promise<void> {
  await new Transfer(options).run();
}

class Transfer {
  readonly #options: TransferOptions;
  #file: DownloadFileRecord;
  #flushedAtMs: number;

  constructor(options: TransferOptions) {
    this.#options = options;
    this.#file = options.file;
    this.#flushedAtMs = options.clock.nowMs();
  }

  async run(): Promise<void> {
    const { partPath, signal, onPhase, onProgress } = this.#options;
    if (this.#file.durableBytes > 0) onPhase('checking', null);
    const part = await PartFile.open(partPath, this.#file.durableBytes, onProgress, signal);
    try {
      await this.#fetchAll(part);
      await this.#flush(part);
      await this.#verify(part);
      this.#save({ done: true });
    } finally {
      if (!this.#file.done) await this.#flush(part).catch(() => undefined); // the error on its way says more
      await part.close();
    }
  }

  async #fetchAll(part: PartFile): Promise<void> {
    const { signal, onPhase } = this.#options;
    let fruitless = 0;
    let bestBytes = part.sizeBytes;
    while (part.sizeBytes !== this.#file.sizeBytes) {
      try {
        await this.#attempt(part);
        return;
      } catch (error) {
        signal.throwIfAborted();
        if (isConclaveError(error)) throw error;
        await this.#flush(part);
        fruitless = part.sizeBytes > bestBytes ? 0 : fruitless + 1;
        bestBytes = Math.max(bestBytes, part.sizeBytes);
        const reason = this.#whyLost(error, fruitless);
        onPhase('waiting', reason);
        await this.#wait(waitMs(error, fruitless));
      }
    }
  }

  async #attempt(part: PartFile): Promise<void> {
    const { fetch, signal, onPhase } = this.#options;
    if (this.#file.identity === null && this.#file.sha256 === null) await this.#restart(part); // nothing could tell a mixture of two files
    const watch = new StallWatch(this.#options.clock, signal);
    try {
      const { url, identity } = this.#file;
      const remote = await openRemote({ fetch, url, signal: watch.signal, offsetBytes: part.sizeBytes, identity });
      await this.#agree(remote, part);
      onPhase('running', null);
      if (remote.body)
        for await (const chunk of remote.body) {
          watch.heard();
          signal.throwIfAborted();
          await this.#take(chunk, part);
        }
    } finally {
      watch.end();
    }
    const { sizeBytes } = this.#file;
    if (sizeBytes !== null && part.sizeBytes < sizeBytes)
      throw new Error(`the connection ended after ${part.sizeBytes} of ${sizeBytes} bytes`);
    if (sizeBytes === null) this.#save({ sizeBytes: part.sizeBytes });
  }

  /** Takes over what the server says of the file, unless it is another one than was wanted. */
  async #agree(remote: RemoteFile, part: PartFile): Promise<void> {
    const { sha256, sha256From, sizeBytes, url } = this.#file;
    const { claimedSha256, totalBytes } = remote;
    const isFixed = sha256From === 'catalogue' || sha256From === 'person';
    if (isFixed && claimedSha256 !== null && claimedSha256 !== sha256) throw this.#isAnother('SHA-256', sha256, claimedSha256);
    if (isFixed && sizeBytes !== null && totalBytes !== null && totalBytes !== sizeBytes)
      throw this.#isAnother('size in bytes', sizeBytes, totalBytes);
    if (totalBytes !== null && totalBytes > MAX_FILE_BYTES)
      throw serviceError('download.server', `The server announces ${totalBytes} bytes; at most ${MAX_FILE_BYTES} are taken.`, {
        url,
        totalBytes,
      });
    if (remote.offsetBytes === 0 && part.sizeBytes > 0) await this.#restart(part);
    this.#save({
      sizeBytes: totalBytes ?? (remote.offsetBytes === 0 && !isFixed ? null : sizeBytes),
      identity: remote.identity,
      ...(isFixed || claimedSha256 === null ? {} : { sha256: claimedSha256, sha256From: 'server' as const }),
    });
    if (remote.pinnedUrl !== null && remote.pinnedUrl !== url) {
      this.#save({ url: remote.pinnedUrl });
      this.#options.onPinned(remote.pinnedUrl);
    }
    await this.#options.checkSpace((this.#file.sizeBytes ?? part.sizeBytes) - part.sizeBytes);
  }

  async #take(chunk: Uint8Array, part: PartFile): Promise<void> {
    const { clock, onProgress, checkSpace } = this.#options;
    const { sizeBytes, url, name } = this.#file;
    if (!mayBeGguf(chunk, part.sizeBytes)) {
      const what = chunk[0] === 0x3c ? 'a web page' : 'something else';
      await this.#restart(part);
      const { host } = new URL(url);
      throw engineError('gguf.not-gguf', `What ${host} sends as ${name} is ${what}, not a GGUF file.`, { url, name });
    }
    if (sizeBytes !== null && part.sizeBytes + chunk.length > sizeBytes)
      throw serviceError('download.server', `The server sends more than the ${sizeBytes} bytes that it announced.`, {
        url,
        sizeBytes,
      });
    await part.append(chunk);
    onProgress(part.sizeBytes);
    const isDue =
      part.sizeBytes - this.#file.durableBytes >= FLUSH_EVERY_BYTES || clock.nowMs() - this.#flushedAtMs >= FLUSH_EVERY_MS;
    if (!isDue) return;
    await this.#flush(part);
    await checkSpace((this.#file.sizeBytes ?? part.sizeBytes) - part.sizeBytes);
  }

  async #verify(part: PartFile): Promise<void> {
    const { sha256, sha256From, name, url } = this.#file;
    const found = part.sha256();
    if (sha256 === null || found === sha256) return;
    await this.#restart(part);
    const stated = { catalogue: 'the catalogue', person: 'you', server: new URL(url).host }[sha256From ?? 'server'];
    throw serviceError(
      'download.checksum',
      `${name} was refused and deleted: its SHA-256 is ${found}, but ${stated} gave ${sha256}. It was damaged on the way or is not the file that was meant. Try again to fetch it anew.`,
      { name, expected: sha256, found },
    );
  }

  async #restart(part: PartFile): Promise<void> {
    if (part.sizeBytes === 0 && this.#file.durableBytes === 0) return;
    await part.restart();
    this.#save({ durableBytes: 0 });
    this.#options.onProgress(0);
  }

  async #flush(part: PartFile): Promise<void> {
    this.#flushedAtMs = this.#options.clock.nowMs();
    if (part.sizeBytes === this.#file.durableBytes) return;
    this.#save({ durableBytes: await part.flush() });
  }

  #save(change: Partial<DownloadFileRecord>): void {
    this.#file = { ...this.#file, ...change };
    this.#options.save(this.#file);
  }

  #isAnother(what: string, wanted: string | number | null, found: string | number): Error {
    const { name, url } = this.#file;
    const { host } = new URL(url);
    return serviceError(
      'download.checksum',
      `${host} has another ${name} now: its ${what} is ${found}, expected was ${String(wanted)}. Nothing of it was kept. Paste its address under "From an address" if you want this one.`,
      { name, url, expected: wanted, found },
    );
  }

  /** Throws when it is no use to go on. */
  #whyLost(error: unknown, fruitless: number): WireError {
    const { host } = new URL(this.#file.url);
    const cause = reasonOf(error);
    const details = { host, reason: cause.code };
    if (/CERT|SELF_SIGNED|UNABLE_TO|ERR_TLS|ERR_SSL|EPROTO/.test(cause.code))
      throw serviceError(
        'download.network',
        `The connection to ${host} is not secure (${cause.text}), so nothing was taken from it. Check the clock of this computer and whether something stands between it and the network.`,
        details,
        error,
      );
    if (fruitless >= MOST_FRUITLESS_TRIES)
      throw serviceError(
        'download.network',
        `${host} could not be reached in ${MOST_FRUITLESS_TRIES} tries (${cause.text}). What came is kept; resume when the connection is back.`,
        details,
        error,
      );
    return { code: 'download.network', message: `${host}: ${cause.text}. The next try follows by itself.`, details };
  }

  #wait(delayMs: number): Promise<void> {
    const { clock, signal } = this.#options;
    return new Promise((resolve, reject) => {
      const cancel = clock.after(delayMs, () => {
        signal.removeEventListener('abort', aborted);
        resolve();
      });
      const aborted = () => {
        cancel();
        reject(signal.reason as Error);
      };
      signal.addEventListener('abort', aborted, { once: true });
      if (signal.aborted) aborted();
    });
  }
}

function waitMs(error: unknown, fruitless: number): number {
  if (error instanceof TryLater && error.afterMs !== null) return Math.min(error.afterMs, LONGEST_ASKED_WAIT_MS);
  return Math.min(FIRST_WAIT_MS * 2 ** fruitless, LONGEST_WAIT_MS);
}

/** fetch hides the reason in `cause`. */
function reasonOf(error: unknown): { code: string; text: string } {
  let found = error instanceof Error ? error : new Error(String(error));
  while (found.cause instanceof Error) found = found.cause;
  const code = String((found as NodeJS.ErrnoException).code ?? '');
  const known: Record<string, string> = {
    ENOTFOUND: 'its name could not be looked up; this computer may be offline',
    EAI_AGAIN: 'its name could not be looked up; this computer may be offline',
    ECONNREFUSED: 'it refused the connection',
    ECONNRESET: 'the connection was cut',
    UND_ERR_SOCKET: 'the connection was cut',
    ETIMEDOUT: 'it did not answer in time',
    UND_ERR_CONNECT_TIMEOUT: 'it did not answer in time',
    ENETUNREACH: 'the network cannot be reached; this computer may be offline',
  };
  return { code, text: known[code] ?? found.message };
}
