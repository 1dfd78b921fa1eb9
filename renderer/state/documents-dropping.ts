/**
 * Documents that are dropped on the window go into the collection that is in view: the one that is open, else the one the
 * conversation asks; where there is none, a new one is made of them and the conversation asks it.
 */
import type { Adding } from './documents-adding.ts';
import type { CollectionChoice } from './documents-choice.ts';
import { filesOf, type Entry } from './documents-files.ts';
import { nameOfFiles } from './documents-words.ts';
import type { Documents } from './documents.ts';
import type { Notices } from './notices.ts';

export interface Dropped {
  readonly files: readonly File[];
  /** Of the same order; null where the browser has none. */
  readonly entries: readonly (Entry | null)[];
}

export interface DropPlace {
  readonly screen: 'documents' | 'chat';
  readonly conversationId: string | null;
  readonly dropGivesPath: boolean;
}

export class Dropping {
  readonly #documents: Documents;
  readonly #adding: Adding;
  readonly #choice: CollectionChoice;
  readonly #notices: Notices;

  constructor(documents: Documents, adding: Adding, choice: CollectionChoice, notices: Notices) {
    this.#documents = documents;
    this.#adding = adding;
    this.#choice = choice;
    this.#notices = notices;
  }

  /** The collection that things dropped here go into; null: a new one. */
  target({ screen, conversationId }: DropPlace): string | null {
    const id = screen === 'documents' ? this.#documents.value.openId : this.#choice.of(conversationId);
    return this.#documents.collection(id)?.id ?? null;
  }

  async drop({ files, entries }: Dropped, place: DropPlace): Promise<void> {
    if (this.#adding.busy) {
      const text = 'Drop these when they are done.';
      this.#notices.show({ tone: 'quiet', title: 'Other files are still being added', text, action: null }, 6000);
      return;
    }
    const known = this.target(place);
    const collection = known
      ? this.#documents.collection(known)
      : await this.#documents.create(nameOfFiles(files.map(({ name }) => name)));
    if (!collection) return;
    if (place.screen === 'documents') this.#documents.open(collection.id);
    else {
      void this.#choice.choose(place.conversationId, collection.id);
      const text = 'Questions here are answered from it.';
      const action = { label: 'Show', run: () => this.onshow(collection.id) };
      this.#notices.show({ tone: 'quiet', title: `Added to “${collection.name}”`, text, action }, 8000);
    }
    const all = await filesOf(files, entries, place.dropGivesPath);
    await this.#adding.files(collection.id, all);
  }

  /** Set by the window, which knows how to get there. */
  onshow: (collectionId: string) => void = () => {};
}
