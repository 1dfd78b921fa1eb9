/** What pages may see of the experts at work. */
import type { ExpertActivity } from '../../gpu/residency/types.ts';

export type { ExpertActivity };

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
