/** Brings a database to the newest version: each migration and its version number in one transaction. Shipped ones are never edited. */
import { invariant } from '../../gpu/invariant.ts';
import { serviceError } from '../contract/errors.ts';
import type { WriteDb } from './handles.ts';

export interface Migration {
  /** Multiples of ten, rising; the numbers between are for repairs that must come between two shipped ones. */
  readonly version: number;
  /** Statements without BEGIN and COMMIT; each is run by itself, so that triggers may contain semicolons. */
  readonly statements: readonly string[];
}

export function schemaVersion(db: WriteDb): number {
  return db.get<{ user_version: number }>('PRAGMA user_version')!.user_version;
}

/** Throws `data.newer` before anything is written when the file has a version that we do not know. */
export function migrate(db: WriteDb, path: string, migrations: readonly Migration[]): void {
  checkRising(migrations);
  const newest = migrations.at(-1)!.version;
  const found = schemaVersion(db);
  if (found > newest)
    throw serviceError(
      'data.newer',
      `The history in ${path} was written by a newer version of Conclave (format ${found}; this version knows ${newest}). Update Conclave to open it; nothing was changed.`,
      { path, foundVersion: found, knownVersion: newest },
    );
  for (const { version, statements } of migrations) {
    if (version <= found) continue;
    db.transaction(() => {
      for (const statement of statements) db.run(statement);
      db.run(`PRAGMA user_version = ${version}`);
    });
  }
}

function checkRising(migrations: readonly Migration[]): void {
  migrations.forEach(({ version }, index) => {
    const previous = index === 0 ? 0 : migrations[index - 1].version;
    invariant(Number.isInteger(version) && version > previous, `migration ${version} does not follow ${previous}`);
  });
}
