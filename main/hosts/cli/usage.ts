/** Usage texts. */
import type { CliCommand, OptionSpec } from './command.ts';
import { COMMON_OPTIONS } from './common-options.ts';

const CALL = 'npm run -s cli --';

export function commandUsage(command: CliCommand): string {
  return [
    `Usage: ${CALL} ${command.name} ${command.usage}`,
    '',
    command.summary,
    ...optionLines('Options', command.options),
    ...optionLines('Common options', COMMON_OPTIONS),
  ].join('\n');
}

export function overviewUsage(names: readonly string[]): string {
  return [
    `Usage: ${CALL} COMMAND [OPTIONS]`,
    '',
    `Commands: ${names.join(', ')}`,
    `"${CALL} COMMAND --help" says what a command takes.`,
    ...optionLines('Common options', COMMON_OPTIONS),
    '',
    'Exit codes: 0 done, 2 bad usage, 3 the file is not usable, 4 no GPU adapter, 5 does not fit, 1 anything else.',
  ].join('\n');
}

function optionLines(title: string, options: Readonly<Record<string, OptionSpec>>): string[] {
  const rows = Object.entries(options).map(([name, spec]) => [
    `  --${name}${spec.type === 'string' ? ` ${spec.value ?? 'TEXT'}` : ''}`,
    spec.description,
  ]);
  if (rows.length === 0) return [];
  const width = Math.max(...rows.map(([left]) => left.length)) + 2;
  return ['', `${title}:`, ...rows.map(([left, right]) => left.padEnd(width) + right)];
}
