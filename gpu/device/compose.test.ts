/** How a program's text is put together. */
import { expect, test } from 'vitest';
import { composeProgram, f32, f32Literal, kindsOf } from './compose.ts';

test.each([
  [1, '1.0f'],
  [-0.5, '-0.5f'],
  [1e-6, '0.000001f'],
  [0.1, '0.1f'],
  [3.4e38, '3.4e+38f'],
  [1e-30, '1e-30f'],
  [16777217, '16777216.0f'],
])('f32 literal of %d', (value, text) => {
  expect(f32Literal(value)).toBe(text);
  expect(Math.fround(Number(text.slice(0, -1)))).toBe(Math.fround(value));
});

test.each([NaN, Infinity, 1e39])('%d is no f32 literal', (value) => {
  expect(() => f32Literal(value)).toThrow('f32 literal');
});

test('constants come typed and in order, before the snippets, which come before the body', () => {
  const { code, constants, key, bindings } = composeProgram({
    name: 'x',
    body: 'fn body() {}\n',
    bindings: ['uniform', 'read'],
    consts: { N: 3, SIGNED: -1, EPSILON: f32(0.5), ON: true },
    snippets: ['fn snippet() {}\n'],
    overrides: { WIDTH: 7 },
  });
  expect(code).toBe(
    'const N: u32 = 3u;\nconst SIGNED: i32 = -1;\nconst EPSILON: f32 = 0.5f;\nconst ON: bool = true;\nfn snippet() {}\nfn body() {}\n',
  );
  expect(constants).toEqual({ WIDTH: 7 });
  expect(bindings).toEqual(['uniform', 'read']);
  expect(key).toContain('WIDTH');
  expect(() => composeProgram({ name: 'x', body: '', bindings: [], consts: { N: 0.5 } })).toThrow('mark it with f32()');
});

test('extensions come first, then the lanes with their directives', () => {
  const parts = { name: 'x', body: 'fn run() {}', bindings: [], consts: { N: 1 } };
  const { code } = composeProgram({ ...parts, enable: ['subgroups'], lanes: 'diagnostic(off, subgroup_uniformity);' });
  expect(code.split('\n')).toEqual([
    'enable subgroups;',
    'diagnostic(off, subgroup_uniformity);',
    'const N: u32 = 1u;',
    'fn run() {}',
    '',
  ]);
});

test('one type is called directly, several through a switch over their kinds', () => {
  const parts = { name: 'x', body: '', bindings: [] };
  const one = composeProgram({ ...parts, types: ['Q8_0'] }).code;
  expect(one).toMatch(/fn w_dot32\([^)]*\) -> f32 \{\n {2}return q8_0_dot32\(base, n_units, unit, x\);\n\}/);
  const two = composeProgram({ ...parts, types: ['Q8_0', 'F32'] }).code;
  expect(two).toMatch(/switch \(kind\) \{\n {4}case 1u: \{ return f32_dot32\(.*\n {4}default: \{ return q8_0_dot32\(/);
  expect(() => composeProgram({ ...parts, types: ['F32', 'F32'] })).toThrow('listed once');
});

test('kinds of fused matrices', () => {
  expect(kindsOf(['Q4_K', 'Q4_K', 'Q6_K'])).toEqual({ types: ['Q4_K', 'Q6_K'], kinds: [0, 0, 1] });
});
