/**
 * Bringing documents into a collection: by the host's dialog, by path, or as files that a page was given. Where the host cannot see
 * a file's path the file is copied to it first, one after the other; what was copied when that is cancelled stays.
 */
import type { DocumentEntry, DocumentRequests } from '../../main/contract/documents.ts';
import { toWireError, type WireError } from '../../main/contract/errors.ts';
import type { Announcer } from './announcer.ts';
import type { PageClient } from './client.ts';
import type { Documents } from './documents.ts';
import { plural } from './format.ts';
import { Store } from './store.ts';

export interface Refused {
  readonly name: string;
  readonly path: string;
  readonly error: WireError;
}

export interface AddingView {
  /** null: nothing is being added. */
  readonly collectionId: string | null;
  /** What is being copied; null while the host looks at paths. */
  readonly copying: { readonly name: string; readonly at: number; readonly of: number; readonly share: number } | null;
  readonly cancelled: boolean;
  /** Of the last adding, until closed. */
  readonly refused: readonly Refused[];
  readonly refusedIn: string | null;
  readonly error: WireError | null;
}

const IDLE = { collectionId: null, copying: null, cancelled: false } as const;
type Added = DocumentRequests['documents.add']['response'];

/** Paths of one request; the contract allows twice as many. */
const PATHS_AT_ONCE = 5000;

export class Adding extends Store<AddingView> {
  readonly #client: PageClient;
  readonly #documents: Documents;
  readonly #announcer: Announcer;

  constructor(client: PageClient, documents: Documents, announcer: Announcer) {
    super({ ...IDLE, refused: [], refusedIn: null, error: null });
    this.#client = client;
    this.#documents = documents;
    this.#announcer = announcer;
  }

  get busy(): boolean {
    return this.value.collectionId !== null;
  }

  pick(collectionId: string, what: 'files' | 'folder'): Promise<number> {
    return this.#add(collectionId, () => this.#client.request('documents.pick', { collectionId, what }));
  }

  paths(collectionId: string, paths: readonly string[]): Promise<number> {
    return this.#add(collectionId, () => this.#client.request('documents.add', { collectionId, paths }));
  }

  /** Resolves with the number of documents that were taken. */
  files(collectionId: string, files: readonly File[]): Promise<number> {
    return this.#add(collectionId, async () => {
      const { paths, refused } = await this.#copy(files);
      const added: DocumentEntry[] = [];
      for (let at = 0; at < paths.length; at += PATHS_AT_ONCE) {
        const part = paths.slice(at, at + PATHS_AT_ONCE);
        const done = await this.#client.request('documents.add', { collectionId, paths: part });
        added.push(...done.added);
        refused.push(...done.refused);
      }
      return { added, refused };
    });
  }

  /** Ends the copying after the file in progress. */
  cancel(): void {
    if (this.busy) this.patch({ cancelled: true });
  }

  dismiss(): void {
    this.patch({ refused: [], refusedIn: null, error: null });
  }

  async #copy(files: readonly File[]): Promise<{ paths: string[]; refused: { path: string; error: WireError }[] }> {
    const paths: string[] = [];
    const refused: { path: string; error: WireError }[] = [];
    for (const [at, file] of files.entries()) {
      if (this.value.cancelled) break;
      const { name } = file;
      try {
        const progress = (done: number, total: number): void =>
          this.patch({ copying: { name, at: at + 1, of: files.length, share: total > 0 ? done / total : 0 } });
        paths.push(await this.#client.pathOfDroppedFile(file, progress));
      } catch (error) {
        refused.push({ path: name, error: toWireError(error) });
      }
    }
    this.patch({ copying: null });
    return { paths, refused };
  }

  async #add(collectionId: string, bring: () => Promise<Added | null>): Promise<number> {
    if (this.busy) return 0;
    this.patch({ ...IDLE, collectionId, refused: [], refusedIn: null, error: null });
    try {
      const result = await bring();
      this.patch(IDLE);
      if (!result) return 0;
      const { added, refused } = result;
      this.#documents.added(added);
      this.patch({ refused: refused.map(({ path, error }) => ({ name: baseName(path), path, error })), refusedIn: collectionId });
      this.#say(added, refused.length);
      return added.length;
    } catch (error) {
      this.patch({ ...IDLE, error: toWireError(error), refusedIn: collectionId });
      return 0;
    }
  }

  #say(added: readonly DocumentEntry[], nRefused: number): void {
    const refused = nRefused > 0 ? ` ${plural(nRefused, 'file was', 'files were')} not taken.` : '';
    this.#announcer.say(`${plural(added.length, 'document was', 'documents were')} added.${refused}`);
  }
}

function baseName(path: string): string {
  return path.split(/[\\/]/).at(-1) || path;
}
