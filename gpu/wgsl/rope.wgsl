// q and k rows before they meet: clamp, RMS norm, rotary position. The kernel binds qkv, vectors and globals as array<f32> and fixes
// CLAMP, HAS_NORM, HEAD_WIDTH, ROPE_DIMS, ROPE_OFFSET (element of globals where the inverse frequencies start) and INTERLEAVED.

// The elements that one norm covers: a head, or the whole row of q or k.
struct Group {
  start: u32, // first element, in qkv
  width: u32,
  weight: u32, // of the norm, in vectors
  scale: f32, // 1 / RMS
}

fn element(g: Group, i: u32) -> f32 {
  return clamp(qkv[g.start + i], -CLAMP, CLAMP);
}

fn normed(g: Group, i: u32) -> f32 {
  if (HAS_NORM) {
    return element(g, i) * g.scale * vectors[g.weight + i];
  }
  return element(g, i);
}

// Elements 2·word and 2·word + 1 of the group after norm and RoPE.
fn rotated(g: Group, word: u32, position: f32) -> vec2<f32> {
  let i = 2u * word;
  let e = i % HEAD_WIDTH;
  let v = vec2<f32>(normed(g, i), normed(g, i + 1u));
  if (e >= ROPE_DIMS) {
    return v;
  }
  if (INTERLEAVED) {
    let c = cos_sin(position * globals[ROPE_OFFSET + e / 2u]);
    return vec2<f32>(v.x * c.x - v.y * c.y, v.x * c.y + v.y * c.x);
  }
  return vec2<f32>(rotated_half(g, i, e, v.x, position), rotated_half(g, i + 1u, e + 1u, v.y, position));
}

fn rotated_half(g: Group, i: u32, e: u32, v: f32, position: f32) -> f32 {
  let n_pairs = ROPE_DIMS / 2u;
  if (e < n_pairs) {
    let c = cos_sin(position * globals[ROPE_OFFSET + e]);
    return v * c.x - normed(g, i + n_pairs) * c.y;
  }
  let c = cos_sin(position * globals[ROPE_OFFSET + e - n_pairs]);
  return v * c.x + normed(g, i - n_pairs) * c.y;
}

// (cos, sin) of an angle of any size. The built-in functions are only promised to 2^-11 and only in [-π, π], so the angle is reduced
// by multiples of π/2 in three exact parts (Cody and Waite 1980) and two minimax polynomials take the rest (those of Cephes' sinf, cosf).
fn cos_sin(angle: f32) -> vec2<f32> {
  let k = round(angle * 0.63661977);
  let r = ((angle - k * 1.5703125) - k * 4.8375130e-4) - k * 7.5497900e-8;
  let z = r * r;
  let s = ((-1.9515296e-4 * z + 8.3321609e-3) * z - 0.16666655) * z * r + r;
  let c = ((2.4433157e-5 * z - 1.3887316e-3) * z + 4.1666646e-2) * z * z - 0.5 * z + 1.0;
  let quadrant = i32(k) & 3;
  let swapped = (quadrant & 1) == 1;
  let cosine = select(c, s, swapped);
  let sine = select(s, c, swapped);
  return vec2<f32>(
    select(cosine, -cosine, quadrant == 1 || quadrant == 2),
    select(sine, -sine, quadrant >= 2),
  );
}
