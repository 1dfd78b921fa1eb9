/**
 * What a CLI command is and what it is given. A command parses nothing itself: its options are declared here, read through
 * `context.flags`, and its result goes out through `context.result`, which keeps stdout to one JSON document under `--json`.
 */
import type { AdapterChoice } from '../node/gpu.ts';
import type { KvType } from '../../../gpu/quant/kv-types.ts';
import type { Budget } from '../../../gpu/residency/plan/plan-for-device.ts';

export interface OptionSpec {
  readonly type: 'string' | 'boolean';
  /** One line for the usage text. */
  readonly description: string;
  /** How the value is written in the usage text, such as `N` or `FILE`. */
  readonly value?: string;
}

export interface CliCommand {
  readonly name: string;
  /** Arguments as the usage text shows them, such as `MODEL --tokens 1,2,3 [--json]`. */
  readonly usage: string;
  /** One line. */
  readonly summary: string;
  /** Long names without `--`. The common options (common-options.ts) are always there. */
  readonly options: Readonly<Record<string, OptionSpec>>;
  /** How many positional arguments it takes, `[least, most]`. */
  readonly positionals: readonly [least: number, most: number];
  /** Resolves with the exit code; 0 is done. A thrown ConclaveError becomes its exit code (exit-codes.ts). */
  run(context: CliContext): Promise<number>;
}

/** Reads declared options; every refusal is a UsageError that names the option, what was given and what is allowed. */
export interface Flags {
  has(name: string): boolean;
  string(name: string): string | undefined;
  required(name: string): string;
  boolean(name: string): boolean;
  number(name: string, range?: { min?: number; max?: number }): number | undefined;
  integer(name: string, range?: { min?: number; max?: number }): number | undefined;
  /** `64MiB`, `1.5GiB`, `2GB`, `4096`. */
  bytes(name: string): number | undefined;
  /** As `bytes`, or a share of what is free: `50%`. */
  budget(name: string): Budget | undefined;
  choice<T extends string>(name: string, allowed: readonly T[]): T | undefined;
  /** `1,2,3` (or space-separated): token ids and the like. */
  integers(name: string): number[] | undefined;
}

export interface CommonOptions {
  readonly json: boolean;
  readonly adapter: AdapterChoice;
  readonly contextTokens: number | undefined;
  readonly expertsUsed: number | undefined;
  /** undefined: exact. */
  readonly approximateRouting: number | undefined;
  /** undefined: chosen by the planner. */
  readonly gpuBudget: Budget | undefined;
  readonly ramBudget: Budget | undefined;
  readonly kvType: KvType;
  readonly dataFolder: string | undefined;
}

export interface CliContext {
  readonly positionals: readonly string[];
  readonly flags: Flags;
  readonly common: CommonOptions;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  /** A line for people, on stderr. */
  log(line: string): void;
  /** Text on stdout as it comes; nothing under `--json`. */
  write(text: string): void;
  /** The command's one result: the document under `--json`, else `text` (when given) as a line on stdout. */
  result(document: unknown, text?: string): void;
}

/** The command line was wrong: exit code 2, with the usage. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
