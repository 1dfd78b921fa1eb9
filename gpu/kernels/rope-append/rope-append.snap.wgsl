const N_HEADS: u32 = 8u;
const N_KV_HEADS: u32 = 2u;
const HEAD_WIDTH: u32 = 64u;
const CONTEXT_TOKENS: u32 = 512u;
const Q_GROUPS: u32 = 8u;
const KV_GROUPS: u32 = 2u;
const HAS_NORM: bool = true;
const Q_NORM: u32 = 100u;
const K_NORM: u32 = 164u;
const EPSILON: f32 = 0.000001f;
const CLAMP: f32 = 3.4e+38f;
const INTERLEAVED: bool = false;
const ROPE_DIMS: u32 = 64u;
const ROPE_OFFSET: u32 = 512u;
// The chunk that is being prefilled, written once per chunk: T tokens at absolute positions start_position ….
// Matrix rows of tokens are read from `first_row` on (0 but for the head, which takes a chunk in pieces).
struct Chunk {
  n_tokens: u32,
  start_position: u32,
  first_row: u32,
  reserved: u32,
}
@group(0) @binding(0) var<uniform> chunk: Chunk;
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
// The cache as kernels bind it that append to it: `keys` and `values` as array<u32>, read_write.
fn kv_read(is_value: bool, i: u32) -> u32 {
  if (is_value) {
    return values[i];
  }
  return keys[i];
}

fn kv_write(is_value: bool, i: u32, word: u32) {
  if (is_value) {
    values[i] = word;
  } else {
    keys[i] = word;
  }
}

// Mesa folds unpack(pack(x)) to x, which skips the rounding that later positions read: a zero that it cannot see keeps the pair.
fn kv_opaque_zero(position: u32) -> u32 {
  return position >> 31u;
}

// Elements 2·pair and 2·pair + 1 of the group as a new key or value.
fn appended(is_value: bool, g: Group, pair: u32, position: u32) -> vec2<f32> {
  if (is_value) {
    return vec2<f32>(element(g, 2u * pair), element(g, 2u * pair + 1u));
  }
  return rotated(g, pair, f32(position));
}
// Keys and values as f16, two to a word (quant/kv-formats.ts). A unit is the two elements of a word.
const KV_UNIT = 2u;
alias KvUnit = vec2<f32>;
// The largest finite f16: a larger key or value is stored as this, since packing it is not defined.
const F16_MAX = 65504.0;

fn kv_load(is_value: bool, row: u32, unit: u32) -> KvUnit {
  return unpack2x16float(kv_read(is_value, row * (HEAD_WIDTH / KV_UNIT) + unit));
}

fn kv_rotated(g: Group, unit: u32, position: u32) -> KvUnit {
  return rotated(g, unit, f32(position));
}

fn kv_append(is_value: bool, g: Group, unit: u32, position: u32, row: u32, stores: bool) -> KvUnit {
  let v = clamp(appended(is_value, g, unit, position), vec2<f32>(-F16_MAX), vec2<f32>(F16_MAX));
  let word = pack2x16float(v);
  if (stores) {
    kv_write(is_value, row * (HEAD_WIDTH / KV_UNIT) + unit % (HEAD_WIDTH / KV_UNIT), word);
  }
  return unpack2x16float(word | kv_opaque_zero(position));
}
// Clamp, q/k norm and RoPE of a chunk's q | k | v rows; q goes to `queries`, k and v are appended to the cache, in whose type kv_append says.
// One workgroup per token and norm group (a head, or the whole row of q, k or v): every invocation sums the group by itself, no barrier.
@group(0) @binding(1) var<storage, read> qkv: array<f32>;
@group(0) @binding(2) var<storage, read> vectors: array<f32>;
@group(0) @binding(3) var<storage, read> globals: array<f32>;
@group(0) @binding(4) var<storage, read_write> queries: array<vec2<f32>>;
@group(0) @binding(5) var<storage, read_write> keys: array<u32>;
@group(0) @binding(6) var<storage, read_write> values: array<u32>;

const ROW_WIDTH = (N_HEADS + 2u * N_KV_HEADS) * HEAD_WIDTH;

fn inverse_rms(g: Group) -> f32 {
  var sum = 0.0;
  for (var i = 0u; i < g.width; i++) {
    let v = element(g, i);
    sum += v * v;
  }
  return 1.0 / sqrt(sum / f32(g.width) + EPSILON);
}

@compute @workgroup_size(32)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let token = group.y;
  let position = chunk.start_position + token;
  let row = token * ROW_WIDTH;
  if (group.x < Q_GROUPS) {
    const WIDTH = N_HEADS * HEAD_WIDTH / Q_GROUPS;
    let first = group.x * WIDTH;
    var g = Group(row + first, WIDTH, Q_NORM, 1.0);
    if (HAS_NORM) {
      g.scale = inverse_rms(g);
    }
    for (var word = lane; word < WIDTH / 2u; word += 32u) {
      queries[(token * (N_HEADS * HEAD_WIDTH) + first) / 2u + word] = rotated(g, word, f32(position));
    }
    return;
  }
  const KV_WIDTH = N_KV_HEADS * HEAD_WIDTH / KV_GROUPS;
  let index = group.x - Q_GROUPS;
  let is_value = index >= KV_GROUPS;
  let first = select(index, index - KV_GROUPS, is_value) * KV_WIDTH;
  var g = Group(row + (N_HEADS + select(0u, N_KV_HEADS, is_value)) * HEAD_WIDTH + first, KV_WIDTH, K_NORM, 1.0);
  if (HAS_NORM && !is_value) {
    g.scale = inverse_rms(g);
  }
  for (var unit = lane; unit < KV_WIDTH / KV_UNIT; unit += 32u) {
    let head = (first + KV_UNIT * unit) / HEAD_WIDTH;
    kv_append(is_value, g, unit, position, head * CONTEXT_TOKENS + position, true);
  }
}
