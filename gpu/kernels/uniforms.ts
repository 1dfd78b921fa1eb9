/**
 * The bytes of a kernel's uniform struct, laid out by its WGSL text: the struct stands once, in the .wgsl, and a field that
 * one side does not know is a bug that is found when the plan is made. Only u32, i32 and f32 members, so offset i is 4·i.
 */
import { invariant } from '../invariant.ts';

/** Uniform bindings must start at multiples of 256 bytes on the least capable adapters. */
export const UNIFORM_SLOT_BYTES = 256;

type Field = { readonly name: string; readonly type: 'u32' | 'i32' | 'f32' };

/** The members of `struct name` in `wgsl`, in order. */
export function structFields(wgsl: string, name: string): Field[] {
  const body = new RegExp(`struct ${name} \\{([^}]*)\\}`).exec(wgsl)?.[1];
  invariant(body !== undefined, `no struct ${name} in the shader`);
  return body
    .replace(/\/\/[^\n]*/g, '')
    .split(',')
    .map((member) => member.trim())
    .filter(Boolean)
    .map((member) => {
      const match = /^(\w+): (u32|i32|f32)$/.exec(member);
      invariant(match, `struct ${name}: cannot lay out "${member}"`);
      return { name: match[1], type: match[2] as Field['type'] };
    });
}

/** Makes the writer of `struct name`: values by member name → 4 bytes per member, padded to 16. */
export function uniformWriter<Values extends { readonly [K in keyof Values]: number }>(
  wgsl: string,
  name: string,
): (values: Values) => Uint8Array<ArrayBuffer> {
  const fields = structFields(wgsl, name);
  return (values) => {
    const byName = new Map(Object.entries<number>(values));
    invariant(byName.size === fields.length, `struct ${name} has ${fields.length} members, ${byName.size} values were given`);
    const view = new DataView(new ArrayBuffer(Math.ceil(fields.length / 4) * 16));
    fields.forEach((field, i) => {
      const value = byName.get(field.name);
      invariant(value !== undefined, `struct ${name}: no value for ${field.name}`);
      if (field.type === 'f32') view.setFloat32(4 * i, value, true);
      else if (field.type === 'i32') view.setInt32(4 * i, value, true);
      else view.setUint32(4 * i, value, true);
    });
    return new Uint8Array(view.buffer);
  };
}
