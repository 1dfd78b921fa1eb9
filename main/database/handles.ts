/**
 * The two handles that query functions take: `ReadDb` reads, `WriteDb` also writes. They are branded, so only `openDatabase` makes
 * them, and a function that is given a ReadDb cannot write. Statements are prepared once per text.
 */
import { invariant } from '../../gpu/invariant.ts';
import { asDataError, type SqlConnection, type SqlRow, type SqlStatement, type SqlValue } from './driver.ts';

declare const brand: unique symbol;

export interface ReadDb {
  readonly [brand]: 'read' | 'write';
  get<Row extends SqlRow>(sql: string, ...parameters: SqlValue[]): Row | undefined;
  all<Row extends SqlRow>(sql: string, ...parameters: SqlValue[]): Row[];
}

export interface WriteDb extends ReadDb {
  readonly [brand]: 'write';
  /** Returns the number of rows changed. */
  run(sql: string, ...parameters: SqlValue[]): number;
  /** All or nothing, committed (and on disk, see open.ts) when it returns. Inside another one it is part of that one. */
  transaction<T>(body: () => T): T;
}

export function makeHandle(connection: SqlConnection, path: string): WriteDb {
  const statements = new Map<string, SqlStatement>();
  let isInTransaction = false;
  const statement = (sql: string): SqlStatement => {
    const known = statements.get(sql) ?? connection.prepare(sql);
    statements.set(sql, known);
    return known;
  };
  const guarded = <T>(body: () => T): T => {
    try {
      return body();
    } catch (error) {
      throw asDataError(error, path);
    }
  };
  const transaction = <T>(body: () => T): T => {
    if (isInTransaction) return body();
    guarded(() => connection.exec('BEGIN IMMEDIATE'));
    isInTransaction = true;
    try {
      const result = body();
      invariant(!(result instanceof Promise), 'a transaction must not wait for anything');
      guarded(() => connection.exec('COMMIT'));
      return result;
    } catch (error) {
      rollBack(connection);
      throw error;
    } finally {
      isInTransaction = false;
    }
  };
  const handle: Omit<WriteDb, typeof brand> = {
    get: <Row extends SqlRow>(sql: string, ...parameters: SqlValue[]) =>
      guarded(() => plainRow(statement(sql).get(...parameters)) as Row | undefined),
    all: <Row extends SqlRow>(sql: string, ...parameters: SqlValue[]) =>
      guarded(() => statement(sql).all(...parameters) as Row[]),
    run: (sql, ...parameters) => guarded(() => statement(sql).run(...parameters).changes),
    transaction,
  };
  return handle as WriteDb;
}

/** libsql's `.get()` adds a field `_metadata` to the row. */
function plainRow(row: unknown): unknown {
  if (typeof row !== 'object' || row === null || !('_metadata' in row)) return row;
  const { _metadata, ...plain } = row;
  void _metadata;
  return plain;
}

/** A full disk rolls back by itself; then there is nothing left to undo and SQLite says so. */
function rollBack(connection: SqlConnection): void {
  try {
    connection.exec('ROLLBACK');
  } catch (error) {
    if (!String(error).includes('no transaction is active')) throw error;
  }
}
