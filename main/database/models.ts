/** Queries over the models that the library knows. */
import type { WireError } from '../contract/errors.ts';
import type { ModelFacts } from '../contract/types.ts';
import type { ReadDb, WriteDb } from './handles.ts';

/** One file of a model with what identified it when it was inspected. */
export interface ModelPart {
  readonly path: string;
  readonly sizeBytes: number;
  readonly modifiedAtMs: number;
}

export interface ModelRecord {
  readonly id: string;
  readonly name: string;
  /** The first part; unique. */
  readonly path: string;
  readonly parts: readonly ModelPart[];
  readonly sizeBytes: number;
  readonly facts: ModelFacts | null;
  readonly problem: WireError | null;
  readonly builtIn: boolean;
  /** The file is a copy that the app made itself. */
  readonly owned: boolean;
  readonly addedAtMs: number;
}

type ModelRow = {
  id: string;
  name: string;
  path: string;
  parts_json: string;
  size_bytes: number;
  facts_json: string | null;
  problem_json: string | null;
  built_in: number;
  owned: number;
  added_at_ms: number;
};

const COLUMNS = 'id, name, path, parts_json, size_bytes, facts_json, problem_json, built_in, owned, added_at_ms';

/** As versions of the app before this one stored them. */
type StoredFacts = Omit<ModelFacts, 'sampling'> & Partial<Pick<ModelFacts, 'sampling'>>;

function toFacts(stored: StoredFacts): ModelFacts {
  return { ...stored, sampling: stored.sampling ?? null };
}

function toRecord(row: ModelRow): ModelRecord {
  return {
    id: row.id,
    name: row.name,
    path: row.path,
    parts: JSON.parse(row.parts_json) as ModelPart[],
    sizeBytes: row.size_bytes,
    facts: row.facts_json === null ? null : toFacts(JSON.parse(row.facts_json) as StoredFacts),
    problem: row.problem_json === null ? null : (JSON.parse(row.problem_json) as WireError),
    builtIn: row.built_in === 1,
    owned: row.owned === 1,
    addedAtMs: row.added_at_ms,
  };
}

/** Oldest first, so that a list does not jump when one is added. */
export function listModels(db: ReadDb): ModelRecord[] {
  return db.all<ModelRow>(`SELECT ${COLUMNS} FROM models ORDER BY built_in DESC, added_at_ms, id`).map(toRecord);
}

export function getModel(db: ReadDb, id: string): ModelRecord | null {
  const row = db.get<ModelRow>(`SELECT ${COLUMNS} FROM models WHERE id = ?`, id);
  return row ? toRecord(row) : null;
}

export function getModelByPath(db: ReadDb, path: string): ModelRecord | null {
  const row = db.get<ModelRow>(`SELECT ${COLUMNS} FROM models WHERE path = ?`, path);
  return row ? toRecord(row) : null;
}

/** Inserts, or replaces what is known under this id. */
export function saveModel(db: WriteDb, model: ModelRecord): void {
  db.run(
    `INSERT INTO models (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (id) DO UPDATE SET name = excluded.name, path = excluded.path, parts_json = excluded.parts_json,
       size_bytes = excluded.size_bytes, facts_json = excluded.facts_json, problem_json = excluded.problem_json,
       built_in = excluded.built_in, owned = excluded.owned`,
    model.id,
    model.name,
    model.path,
    JSON.stringify(model.parts),
    model.sizeBytes,
    model.facts === null ? null : JSON.stringify(model.facts),
    model.problem === null ? null : JSON.stringify(model.problem),
    model.builtIn ? 1 : 0,
    model.owned ? 1 : 0,
    model.addedAtMs,
  );
}

export function deleteModel(db: WriteDb, id: string): void {
  db.run(`DELETE FROM models WHERE id = ?`, id);
}
