/** Queries over settings: one row per key, the value as JSON. What the keys mean is main/settings' business. */
import type { ReadDb, WriteDb } from './handles.ts';

export function readSettings(db: ReadDb): ReadonlyMap<string, unknown> {
  const rows = db.all<{ key: string; value_json: string }>(`SELECT key, value_json FROM settings`);
  return new Map(rows.map((row) => [row.key, JSON.parse(row.value_json) as unknown]));
}

export function writeSetting(db: WriteDb, key: string, value: unknown, nowMs: number): void {
  db.run(
    `INSERT INTO settings (key, value_json, updated_at_ms) VALUES (?, ?, ?)
     ON CONFLICT (key) DO UPDATE SET value_json = excluded.value_json, updated_at_ms = excluded.updated_at_ms`,
    key,
    JSON.stringify(value),
    nowMs,
  );
}
