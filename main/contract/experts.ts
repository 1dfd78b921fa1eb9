/** What pages may see of the experts at work. Bytes and counts; nothing about what was asked or answered. */
export interface ExpertActivity {
  /** Tokens of the answer that are counted so far, and experts used by each of them per layer. */
  readonly tokens: number;
  readonly nUsed: number;
  /** One per MoE layer: its place in the model, and how often each of its experts was used. */
  readonly layers: readonly { readonly layer: number; readonly uses: readonly number[] }[];
  /** (layer, token, rank) uses since the answer began, by where the expert was. */
  readonly hits: number;
  readonly missesFromRam: number;
  readonly missesFromDisk: number;
  readonly gpuMemory: {
    readonly weightsBytes: number;
    readonly expertsBytes: number;
    readonly kvBytes: number;
    readonly activationsBytes: number;
    readonly stagingBytes: number;
    readonly totalBytes: number;
  };
  readonly ramPoolBytes: number;
}

/** The activity of one answer. */
export interface AnswerExperts {
  readonly answerId: string;
  readonly modelName: string;
  readonly activity: ExpertActivity;
}

export interface ExpertRequests {
  /** The answer that is being written, or the last one since the app started; null before any. */
  'experts.current': { request: Record<string, never>; response: AnswerExperts | null };
}

export interface ExpertEvents {
  /** About four times a second while an answer is written. */
  'experts.activity': AnswerExperts;
}
