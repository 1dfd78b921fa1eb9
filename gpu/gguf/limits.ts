/** What a GGUF file may ask of us before we refuse it. Each limit is far above any real model and far below harm. */
export const LIMITS = {
  /** Key-value pairs. Real files have 20 to 80. */
  metadataCount: 65_536,
  /** Tensors of one part. The largest unstacked MoE files have about 30 000. */
  tensorCount: 131_072,
  /** The format's own limit on keys. */
  keyBytes: 65_535,
  /** One string value; the longest real ones are chat templates (tens of KiB) and licence texts. */
  stringBytes: 16 * 1024 * 1024,
  /** Elements of an array; the largest real vocabularies have 262 144 tokens and about 515 000 merges. */
  arrayLength: 8 * 1024 * 1024,
  /** Metadata and tensor list together, held in memory while open. Real headers have up to 30 MiB. */
  headerBytes: 256 * 1024 * 1024,
  /** The format's own limits on tensors. */
  tensorNameBytes: 64,
  dimensions: 4,
  /** A multiple of 8 by the format; more than a page is of no use. */
  alignmentBytes: 1024 * 1024,
  /** Parts of a split file: each holds a file handle. */
  parts: 512,
} as const;

/** First read of a header; it grows fourfold while the header goes on. */
export const FIRST_WINDOW_BYTES = 1024 * 1024;
