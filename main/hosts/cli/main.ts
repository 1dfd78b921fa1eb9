/**
 * The CLI as a function: arguments and streams in, exit code out (so that tests need no process). Every failure ends here as one
 * sentence on stderr, and under `--json` also as `{"error": …}` on stdout.
 */
import { toWireError } from '../../contract/errors.ts';
import { UsageError, type CliCommand, type CliContext } from './command.ts';
import { COMMON_OPTIONS, readCommonOptions } from './common-options.ts';
import { EXIT, exitCodeOf } from './exit-codes.ts';
import { parseFlags } from './flags.ts';
import { COMMAND_NAMES, loadCommand } from './registry.ts';
import { commandUsage, overviewUsage } from './usage.ts';

export interface CliStreams {
  stdout(text: string): void;
  stderr(text: string): void;
}

export async function runCli(
  args: readonly string[],
  streams: CliStreams,
  signal: AbortSignal,
  load: (name: (typeof COMMAND_NAMES)[number]) => Promise<CliCommand> = loadCommand,
): Promise<number> {
  const [first, ...rest] = args;
  if (first === undefined || first === '--help' || first === 'help') {
    (first === undefined ? streams.stderr : streams.stdout)(overviewUsage(COMMAND_NAMES) + '\n');
    return first === undefined ? EXIT.usage : EXIT.done;
  }
  const name = COMMAND_NAMES.find((known) => known === first);
  if (!name) {
    streams.stderr(`There is no command "${first}".\n\n${overviewUsage(COMMAND_NAMES)}\n`);
    return EXIT.usage;
  }
  const command = await load(name);
  if (rest.includes('--help')) {
    streams.stdout(commandUsage(command) + '\n');
    return EXIT.done;
  }
  try {
    return await command.run(contextFor(command, rest, streams, signal));
  } catch (error) {
    const isUsage = error instanceof UsageError;
    if (rest.includes('--json') && !isUsage) streams.stdout(JSON.stringify({ error: toWireError(error) }) + '\n');
    const exitCode = exitCodeOf(error);
    const text = exitCode === EXIT.failed && error instanceof Error && error.name === 'Error' ? error.stack : undefined;
    streams.stderr(`${text ?? (error instanceof Error ? error.message : String(error))}\n`);
    if (isUsage) streams.stderr(`\n${commandUsage(command)}\n`);
    return exitCode;
  }
}

function contextFor(command: CliCommand, args: readonly string[], streams: CliStreams, signal: AbortSignal): CliContext {
  const { flags, positionals } = parseFlags(args, { ...COMMON_OPTIONS, ...command.options });
  const [least, most] = command.positionals;
  if (positionals.length < least || positionals.length > most) {
    const wanted = least === most ? `${least}` : `${least} to ${most}`;
    throw new UsageError(`${command.name} takes ${wanted} argument(s), but ${positionals.length} came.`);
  }
  const common = readCommonOptions(flags);
  return {
    positionals,
    flags,
    common,
    signal,
    log: (line) => streams.stderr(line + '\n'),
    write: (text) => {
      if (!common.json) streams.stdout(text);
    },
    result: (document, text) => {
      if (common.json) streams.stdout(JSON.stringify(document) + '\n');
      else if (text !== undefined) streams.stdout(text + '\n');
    },
  };
}
