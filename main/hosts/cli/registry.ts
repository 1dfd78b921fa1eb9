/** Which commands exist, and how each is loaded: lazily, so that `inspect` never loads the GPU's code. */
import { invariant } from '../../../gpu/invariant.ts';
import type { CliCommand } from './command.ts';

/** `commands/<name>.ts` exports `command`. */
export const COMMAND_NAMES = [
  'inspect',
  'run',
  'chat',
  'logits',
  'tokenize',
  'detokenize',
  'bench',
  'experts',
  'upcycle',
  'docs',
] as const;

export async function loadCommand(name: (typeof COMMAND_NAMES)[number]): Promise<CliCommand> {
  const { command } = (await import(new URL(`./commands/${name}.ts`, import.meta.url).href)) as { command?: CliCommand };
  invariant(command?.name === name, `commands/${name}.ts exports no command named ${name}`);
  return command;
}
