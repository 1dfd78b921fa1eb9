/** Exit codes of the CLI. Scripts rely on them: never renumber. */
import { ConclaveError } from '../../contract/errors.ts';
import { UsageError } from './command.ts';

export const EXIT = {
  done: 0,
  failed: 1, // a bug of ours, or a failure that none of the others names
  usage: 2,
  file: 3, // the file is not usable
  noAdapter: 4,
  doesNotFit: 5,
} as const;

export function exitCodeOf(error: unknown): number {
  if (error instanceof UsageError) return EXIT.usage;
  if (!(error instanceof ConclaveError)) return EXIT.failed;
  const { code } = error;
  if (/^(gguf|file|model|document|trace|profile)[.]/.test(code)) return EXIT.file;
  if (code === 'engine.kv-type') return EXIT.usage;
  if (code === 'gpu.no-adapter' || code === 'gpu.limits') return EXIT.noAdapter;
  if (code === 'engine.budget' || code === 'gpu.out-of-memory') return EXIT.doesNotFit;
  return EXIT.failed;
}
