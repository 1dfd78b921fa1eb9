/** An answer that ended because it had as many tokens as it may have: whole as far as it goes, and nobody should take it for finished. */
import { engineError } from '../../gpu/errors.ts';
import { toWireError, type WireError } from '../contract/errors.ts';

/** `host`: of the server that answered, which may have a limit of its own; its tokens may be an estimate, so the words leave them out. */
export function answerFull(answerTokens: number, host: string | null = null): WireError {
  const after = host === null ? ` after ${answerTokens} ${answerTokens === 1 ? 'token' : 'tokens'}` : '';
  const limit = host === null ? 'the longest answer that the settings allow' : `as long as the settings or ${host} allow`;
  const message = `The answer was cut off${after}: that is ${limit}. Ask for the rest, or raise “Longest answer” in the settings and answer again.`;
  return toWireError(engineError('engine.answer-full', message, { answerTokens }));
}
