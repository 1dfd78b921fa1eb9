/**
 * Puts a kernel's WGSL together: directives, a prelude of constants, the snippets of the tensor types in use with the adapter
 * `w_load32` / `w_dot32` over them, shared snippets, the body. The text depends on the inputs alone, byte for byte.
 */
import { invariant } from '../invariant.ts';
import type { ComputeType } from '../quant/types.ts';
import { QUANT_SNIPPETS } from '../wgsl/quant-snippets.ts';
import type { BindingKind, KernelProgram } from './types.ts';

export interface ProgramParts {
  readonly name: string;
  /** The kernel's .wgsl, with entry point `main`. */
  readonly body: string;
  readonly bindings: readonly BindingKind[];
  /** `const` lines of the prelude, in this order: whole numbers become u32 (negative: i32), `f32(x)` f32, booleans bool. */
  readonly consts?: Readonly<Record<string, number | boolean | F32Const>>;
  /** Tensor types in use; `kind` i means types[i]. */
  readonly types?: readonly ComputeType[];
  /** Shared snippets of gpu/wgsl, in order. */
  readonly snippets?: readonly string[];
  /** Entry point of a lane kernel (kernels/lanes.ts); it may begin with directives, so it comes before everything but `enable`. */
  readonly lanes?: string;
  /** WGSL extensions to enable: the kernel asked the capabilities first. */
  readonly enable?: readonly ('subgroups' | 'f16')[];
  /** `override` constants of the body. */
  readonly overrides?: Readonly<Record<string, number>>;
}

export interface F32Const {
  readonly f32: number;
}
/** Marks a prelude constant as f32. */
export const f32 = (value: number): F32Const => ({ f32: value });

export function composeProgram(parts: ProgramParts): KernelProgram {
  const types = parts.types ?? [];
  invariant(new Set(types).size === types.length, `${parts.name}: tensor types are listed once`);
  const constants = { ...parts.overrides };
  const code = [
    ...(parts.enable ?? []).map((extension) => `enable ${extension};`),
    ...(parts.lanes ? [parts.lanes.trim()] : []),
    ...Object.entries(parts.consts ?? {}).map(([name, value]) => constLine(name, value)),
    ...types.map((type) => QUANT_SNIPPETS[type].trim()),
    ...(types.length ? [kindAdapter(types)] : []),
    ...(parts.snippets ?? []).map((snippet) => snippet.trim()),
    parts.body.trim(),
    '',
  ].join('\n');
  return {
    name: parts.name,
    key: `${parts.name} ${JSON.stringify(constants)}\n${code}`,
    code,
    constants,
    bindings: parts.bindings,
  };
}

/** The position of each tensor's type in the list of distinct types, and that list: the `kind` of each part of a fused matrix. */
export function kindsOf(tensorTypes: readonly ComputeType[]): { types: ComputeType[]; kinds: number[] } {
  const types = [...new Set(tensorTypes)];
  return { types, kinds: tensorTypes.map((type) => types.indexOf(type)) };
}

function constLine(name: string, value: number | boolean | F32Const): string {
  if (typeof value === 'boolean') return `const ${name}: bool = ${String(value)};`;
  if (typeof value === 'object') return `const ${name}: f32 = ${f32Literal(value.f32)};`;
  invariant(Number.isSafeInteger(value), `constant ${name} = ${value} is not whole: mark it with f32()`);
  return value < 0 ? `const ${name}: i32 = ${value};` : `const ${name}: u32 = ${value}u;`;
}

/** The shortest decimal that reads back as the same f32, always with a point or an exponent. */
export function f32Literal(value: number): string {
  const rounded = Math.fround(value);
  invariant(Number.isFinite(rounded), `${value} is no f32 literal`);
  let text = '';
  for (let digits = 1; digits <= 9; digits++) {
    text = rounded.toPrecision(digits);
    if (Math.fround(Number(text)) === rounded) break;
  }
  const plain = String(Number(text));
  return /[.e]/.test(plain) ? `${plain}f` : `${plain}.0f`;
}

function kindAdapter(types: readonly ComputeType[]): string {
  return [
    adapterFunction(types, 'w_load32', '', '', 'array<vec4<f32>, 8>'),
    adapterFunction(types, 'w_dot32', ', x: ptr<function, array<vec4<f32>, 8>>', ', x', 'f32'),
  ].join('\n');
}

function adapterFunction(types: readonly ComputeType[], name: string, parameter: string, argument: string, result: string) {
  const call = (type: ComputeType) => `return ${type.toLowerCase()}_${name.slice(2)}(base, n_units, unit${argument});`;
  const head = `fn ${name}(kind: u32, base: u32, n_units: u32, unit: u32${parameter}) -> ${result} {`;
  if (types.length === 1) return `${head}\n  ${call(types[0])}\n}`;
  const cases = types.slice(1).map((type, i) => `    case ${i + 1}u: { ${call(type)} }`);
  return [head, '  switch (kind) {', ...cases, `    default: { ${call(types[0])} }`, '  }', '}'].join('\n');
}
