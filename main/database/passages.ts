/** Queries over chunks: BM25 search in one collection, and the neighbours of a chunk. */
import type { Passage } from '../contract/documents.ts';
import type { ReadDb } from './handles.ts';

/** Weights of the columns title, heading and body in BM25. Chosen by recall@5 (docs/documents.md). */
const BM25 = 'bm25(chunks_search, 1.5, 2.0, 1.0)';

/** A passage, whose score is BM25's, and where it stands in the database. */
export interface FoundChunk extends Passage {
  readonly seq: number;
  readonly versionSeq: number;
  readonly number: number;
}

type ChunkRow = {
  seq: number;
  version_seq: number;
  number: number;
  document_id: string;
  title: string;
  page: number | null;
  heading: string | null;
  text: string;
  start: number;
  end: number;
  score: number;
};

const COLUMNS = `chunks.seq, version_seq, number, documents.id AS document_id, title, page, heading, chunks.text, start, "end"`;

function toFound(row: ChunkRow): FoundChunk {
  return {
    seq: row.seq,
    versionSeq: row.version_seq,
    number: row.number,
    documentId: row.document_id,
    documentTitle: row.title,
    page: row.page,
    heading: row.heading,
    text: row.text,
    start: row.start,
    end: row.end,
    score: row.score,
  };
}

/** `match` in FTS5's query language. Best first. */
export function searchChunks(db: ReadDb, collectionId: string, match: string, limit: number): FoundChunk[] {
  return db
    .all<ChunkRow>(
      `WITH found AS MATERIALIZED (
         SELECT chunks_search.rowid AS seq, -${BM25} AS score
         FROM chunks_search
         JOIN chunks ON chunks.seq = chunks_search.rowid
         JOIN document_versions ON document_versions.seq = chunks.version_seq AND is_current = 1
         JOIN documents ON documents.id = document_versions.document_id AND collection_id = ?
         WHERE chunks_search MATCH ?
         ORDER BY score DESC, chunks_search.rowid LIMIT ?
       )
       SELECT ${COLUMNS}, score FROM found
       JOIN chunks ON chunks.seq = found.seq
       JOIN document_versions ON document_versions.seq = chunks.version_seq
       JOIN documents ON documents.id = document_versions.document_id
       ORDER BY score DESC, chunks.seq`,
      collectionId,
      match,
      limit,
    )
    .map(toFound);
}

/** The chunks right before and after one, if they are there. */
export function neighbourChunks(db: ReadDb, versionSeq: number, number: number): FoundChunk[] {
  return db
    .all<ChunkRow>(
      `SELECT ${COLUMNS}, 0 AS score FROM chunks
       JOIN document_versions ON document_versions.seq = chunks.version_seq
       JOIN documents ON documents.id = document_versions.document_id
       WHERE version_seq = ? AND number IN (?, ?) ORDER BY number DESC`,
      versionSeq,
      number - 1,
      number + 1,
    )
    .map(toFound);
}
