/** Command line → Flags: node:util's parseArgs for the syntax, and readers whose refusals name option, value and what is allowed. */
import { parseArgs } from 'node:util';
import { UsageError, type Flags, type OptionSpec } from './command.ts';

const BYTE_UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
};

/** Throws UsageError on an unknown option, a missing value or too many positionals. */
export function parseFlags(
  args: readonly string[],
  options: Readonly<Record<string, OptionSpec>>,
): { flags: Flags; positionals: readonly string[] } {
  const declared = Object.fromEntries(Object.entries(options).map(([name, spec]) => [name, { type: spec.type }]));
  let parsed: { values: Record<string, unknown>; positionals: string[] };
  try {
    parsed = parseArgs({ args: joinNegativeNumbers(args, options), options: declared, allowPositionals: true, strict: true });
  } catch (error) {
    throw new UsageError((error as Error).message.split(/[.] To specify/)[0]);
  }
  return { flags: readers(parsed.values), positionals: parsed.positionals };
}

/** `--prompt "-5 + 3"` is a value, not an option: parseArgs wants it joined with `=`. */
function joinNegativeNumbers(args: readonly string[], options: Readonly<Record<string, OptionSpec>>): string[] {
  const joined: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const name = /^--([a-z-]+)$/.exec(args[i])?.[1];
    const next = args[i + 1];
    const isOption = (text: string) => /^--[a-z]/.test(text);
    if (name && options[name]?.type === 'string' && next?.startsWith('-') && !isOption(next)) {
      joined.push(`${args[i]}=${next}`);
      i++;
    } else joined.push(args[i]);
  }
  return joined;
}

function readers(values: Readonly<Record<string, unknown>>): Flags {
  const string = (name: string) => values[name] as string | undefined;
  const number: Flags['number'] = (name, range = {}) => {
    const text = string(name);
    if (text === undefined) return undefined;
    const value = text.trim() === '' ? NaN : Number(text);
    checkRange(name, text, value, range, 'a number');
    return value;
  };
  const size = (name: string, examples: string) => {
    const text = string(name);
    if (text === undefined) return undefined;
    const match = /^(\d+(?:[.]\d+)?)\s*([a-z]*)$/i.exec(text.trim());
    const unit = match && BYTE_UNITS[match[2].toLowerCase()];
    if (!match || !unit) throw new UsageError(`--${name} is "${text}", but must be a size such as ${examples}.`);
    return Math.floor(Number(match[1]) * unit);
  };
  return {
    has: (name) => values[name] !== undefined,
    string,
    boolean: (name) => values[name] === true,
    number,
    required(name) {
      const text = string(name);
      if (text === undefined) throw new UsageError(`--${name} is missing.`);
      return text;
    },
    integer(name, range = {}) {
      const value = number(name, range);
      if (value !== undefined && !Number.isSafeInteger(value))
        throw new UsageError(`--${name} is "${string(name)}", but must be a whole number${rangeText(range)}.`);
      return value;
    },
    budget(name) {
      const percent = /^(\d+(?:[.]\d+)?)\s*%$/.exec(string(name)?.trim() ?? '')?.[1];
      if (percent !== undefined && Number(percent) > 100)
        throw new UsageError(`--${name} is "${string(name)}", but must be at most 100%.`);
      if (percent !== undefined) return { share: Number(percent) / 100 };
      const bytes = size(name, '64MiB, 1.5GiB, 4096 or 50%');
      return bytes === undefined ? undefined : { bytes };
    },
    bytes: (name) => size(name, '64MiB, 1.5GiB or 4096'),
    choice(name, allowed) {
      const text = string(name);
      if (text === undefined) return undefined;
      const found = allowed.find((candidate) => candidate === text);
      if (found === undefined) throw new UsageError(`--${name} is "${text}", but must be one of ${allowed.join(', ')}.`);
      return found;
    },
    integers(name) {
      const text = string(name);
      if (text === undefined) return undefined;
      const parts = text.split(/[\s,]+/).filter((part) => part !== '');
      const bad = parts.find((part) => !/^-?\d+$/.test(part) || !Number.isSafeInteger(Number(part)));
      if (bad !== undefined || parts.length === 0)
        throw new UsageError(`--${name} is "${text}", but must be whole numbers such as 1,2,3.`);
      return parts.map(Number);
    },
  };
}

function checkRange(name: string, text: string, value: number, range: { min?: number; max?: number }, kind: string): void {
  const inRange = value >= (range.min ?? -Infinity) && value <= (range.max ?? Infinity);
  if (!Number.isFinite(value) || !inRange)
    throw new UsageError(`--${name} is "${text}", but must be ${kind}${rangeText(range)}.`);
}

function rangeText({ min, max }: { min?: number; max?: number }): string {
  if (min !== undefined && max !== undefined) return ` from ${min} to ${max}`;
  if (min !== undefined) return ` of at least ${min}`;
  return max !== undefined ? ` of at most ${max}` : '';
}
