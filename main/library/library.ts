/**
 * The models that the user may choose from. Models are known by reference: the file stays where it is and is inspected again when its
 * size or time changed. Built-in models come with the app and cannot be removed.
 */
import { realpath, readdir, rm, rmdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { serviceError, toWireError } from '../contract/errors.ts';
import type { ModelDetails } from '../contract/downloads.ts';
import { partNames } from '../contract/model-address.ts';
import type { ModelEntry } from '../contract/types.ts';
import type { WriteDb } from '../database/handles.ts';
import { deleteModel, getModel, getModelByPath, listModels, saveModel, type ModelRecord } from '../database/models.ts';
import type { Clock } from '../clock.ts';
import type { EventBus } from '../event-bus.ts';
import { fitOf, type Computer } from './fit.ts';
import type { InspectedModel, ModelFiles } from './model-files.ts';

export interface LibraryDependencies {
  readonly db: WriteDb;
  readonly events: EventBus;
  readonly clock: Clock;
  readonly newId: () => string;
  readonly files: ModelFiles;
  /** Copies that the app made itself (uploads) lie here; they go when their model is removed. */
  readonly ownFolder: string;
  /** Models that came with the app, or null. */
  readonly builtInFolder: string | null;
  readonly computer: () => Computer;
}

type Origin = Pick<ModelRecord, 'builtIn' | 'owned'>;

export class LibraryService {
  readonly #deps: LibraryDependencies;

  constructor(deps: LibraryDependencies) {
    this.#deps = deps;
  }

  async list(): Promise<readonly ModelEntry[]> {
    return Promise.all(listModels(this.#deps.db).map(entryOf));
  }

  /**
   * Takes a file into the list; one that is there already is inspected anew and keeps its id. Rejects with what is wrong with the
   * file (gguf.*, file.*, model.*).
   */
  async import(givenPath: string): Promise<ModelEntry> {
    if (!path.isAbsolute(givenPath))
      throw serviceError('request.invalid', `The path of a model must be absolute, but "${givenPath}" is not.`, {
        path: givenPath,
      });
    const filePath = await realpath(givenPath).catch(() => givenPath);
    const owned = await this.#isOwn(filePath);
    let inspected: InspectedModel;
    try {
      inspected = await this.#deps.files.inspect(filePath);
    } catch (error) {
      if (owned && !getModelByPath(this.#deps.db, filePath)) await rm(filePath, { force: true });
      throw error;
    }
    const record = this.#save(inspected, { builtIn: false, owned });
    await this.#announce();
    return entryOf(record);
  }

  /**
   * Takes a file that the app fetched itself into the list. One that cannot be used stays, and its entry says why: fetching it again
   * would not change that.
   */
  async adopt(givenPath: string): Promise<ModelEntry> {
    const filePath = await realpath(givenPath);
    const record = await this.#take(filePath, { builtIn: false, owned: true });
    await this.#announce();
    return entryOf(record);
  }

  /** What is in the file of a model, for people. Rejects with model.missing, gguf.*, file.*. */
  async details(modelId: string): Promise<ModelDetails> {
    const { path: filePath, parts, owned } = this.require(modelId);
    const described = await this.#deps.files.describe(filePath);
    const { sizeBytes, layers, experts, trainedContextTokens } = described;
    const shape = {
      sizeBytes,
      layers,
      experts: experts?.count ?? 0,
      expertsUsed: experts?.used ?? 0,
      expertBytes: experts?.bytes,
    };
    const fit = fitOf({ ...shape, contextTokens: trainedContextTokens }, this.#deps.computer());
    return { ...described, modelId, owned, fit, paths: parts.map((part) => part.path) };
  }

  async remove(modelId: string): Promise<void> {
    const record = this.require(modelId);
    if (record.builtIn)
      throw serviceError('request.refused', `${record.name} came with the app and cannot be removed.`, { modelId });
    deleteModel(this.#deps.db, modelId);
    if (record.owned) await this.#deleteFiles(record);
    await this.#announce();
  }

  /** Throws `model.missing` when it is not in the list. */
  require(modelId: string): ModelRecord {
    const record = getModel(this.#deps.db, modelId);
    if (record) return record;
    throw serviceError('model.missing', 'This model is not in the library any more. Add its file again.', { modelId });
  }

  /**
   * A model that can be loaded. One whose file changed since it was inspected is inspected anew. Rejects with `model.missing` when a
   * file is gone, else with what is wrong with it.
   */
  async requireUsable(modelId: string): Promise<ModelRecord> {
    const record = this.require(modelId);
    const state = await stateOfFiles(record);
    if (state === 'gone')
      throw serviceError(
        'model.missing',
        `${record.path} is not there any more. Bring the file back, or add it from its new place.`,
        {
          modelId,
          path: record.path,
        },
      );
    if (state === 'same' && !record.problem && record.facts?.sampling) return record;
    const fresh = await this.#inspectAgain(record);
    await this.#announce();
    return fresh;
  }

  /** At the start: built-in models enter the list, or leave it with their file. */
  async refreshBuiltIn(): Promise<void> {
    const { db, builtInFolder } = this.#deps;
    const found = builtInFolder === null ? [] : await ggufFilesIn(builtInFolder);
    for (const record of listModels(db).filter((known) => known.builtIn && !found.includes(known.path)))
      deleteModel(db, record.id);
    for (const filePath of found) {
      const known = getModelByPath(db, filePath);
      if (known && (!known.facts || known.facts.sampling) && (await stateOfFiles(known)) === 'same') continue;
      await this.#take(filePath, { builtIn: true, owned: false });
    }
    await this.#announce();
  }

  /** Into the list, whatever is in it. */
  async #take(filePath: string, flags: Origin): Promise<ModelRecord> {
    try {
      return this.#save(await this.#deps.files.inspect(filePath), flags);
    } catch (error) {
      return this.#saveUnusable(filePath, error, flags);
    }
  }

  async #inspectAgain(record: ModelRecord): Promise<ModelRecord> {
    try {
      return this.#save(await this.#deps.files.inspect(record.path), record);
    } catch (error) {
      saveModel(this.#deps.db, { ...record, facts: null, problem: toWireError(error) });
      await this.#announce();
      throw error;
    }
  }

  async #saveUnusable(filePath: string, error: unknown, flags: Origin): Promise<ModelRecord> {
    const parts = await Promise.all(
      partNames(path.basename(filePath)).map(async (name) => {
        const partPath = path.join(path.dirname(filePath), name);
        const found = await stat(partPath).catch(() => null);
        return { path: partPath, sizeBytes: found?.size ?? 0, modifiedAtMs: found?.mtimeMs ?? 0 };
      }),
    );
    const record = {
      ...this.#identity(filePath),
      ...flags,
      name: path.basename(filePath),
      path: filePath,
      parts,
      sizeBytes: parts.reduce((sum, part) => sum + part.sizeBytes, 0),
      facts: null,
      problem: toWireError(error),
    };
    saveModel(this.#deps.db, record);
    return record;
  }

  async #isOwn(filePath: string): Promise<boolean> {
    const { ownFolder } = this.#deps;
    return isInside(await realpath(ownFolder).catch(() => ownFolder), filePath);
  }

  /** And the folder that a download made for them, once it is empty. */
  async #deleteFiles({ path: filePath, parts }: ModelRecord): Promise<void> {
    await Promise.all(parts.map((part) => rm(part.path, { force: true })));
    const folder = path.dirname(filePath);
    if (await this.#isOwn(folder)) await rmdir(folder).catch(() => undefined); // other models lie in it
  }

  #save(inspected: InspectedModel, flags: Origin): ModelRecord {
    const { name, parts, sizeBytes, facts } = inspected;
    const filePath = parts[0].path;
    const { builtIn, owned } = flags;
    const record = { ...this.#identity(filePath), name, path: filePath, parts, sizeBytes, facts, problem: null, builtIn, owned };
    saveModel(this.#deps.db, record);
    return record;
  }

  /** A path keeps its id for as long as it is in the list. */
  #identity(filePath: string): { id: string; addedAtMs: number } {
    const known = getModelByPath(this.#deps.db, filePath);
    return known ? { id: known.id, addedAtMs: known.addedAtMs } : { id: this.#deps.newId(), addedAtMs: this.#deps.clock.nowMs() };
  }

  async #announce(): Promise<void> {
    this.#deps.events.emit('library.changed', { models: await this.list() });
  }
}

async function entryOf(record: ModelRecord): Promise<ModelEntry> {
  const { id, name, path: filePath, sizeBytes, addedAtMs, facts, problem, builtIn, owned } = record;
  const isMissing = (await stateOfFiles(record)) !== 'same';
  const status = isMissing ? 'missing' : problem ? 'unusable' : 'usable';
  return { id, name, path: filePath, sizeBytes, addedAtMs, status, facts, problem, builtIn, owned };
}

async function stateOfFiles({ parts }: ModelRecord): Promise<'same' | 'changed' | 'gone'> {
  const states = await Promise.all(
    parts.map(async (part) => {
      const found = await stat(part.path).catch(() => null);
      if (!found?.isFile()) return 'gone';
      return found.size === part.sizeBytes && found.mtimeMs === part.modifiedAtMs ? 'same' : 'changed';
    }),
  );
  return states.find((state) => state === 'gone') ?? states.find((state) => state === 'changed') ?? 'same';
}

async function ggufFilesIn(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => [] as string[]); // a clone without built-in models
  const firstParts = names.filter((name) => /[.]gguf$/i.test(name) && !/-(?!00001)\d{5}-of-\d{5}[.]gguf$/i.test(name));
  return Promise.all(firstParts.sort().map((name) => realpath(path.join(folder, name))));
}

function isInside(folder: string, filePath: string): boolean {
  const relative = path.relative(folder, filePath);
  return relative !== '' && !relative.startsWith('..') && !path.isAbsolute(relative);
}
