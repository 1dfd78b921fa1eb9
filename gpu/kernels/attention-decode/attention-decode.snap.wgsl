enable subgroups;
diagnostic(off, subgroup_uniformity); // the loops over rows are uniform in a subgroup, which the workgroup-wide analysis cannot see
// A worker is a subgroup: its lanes split the sum of a row and meet in subgroupAdd. Subgroups of a one-dimensional workgroup hold
// consecutive invocations; WORKGROUP_SIZE is at least the largest subgroup, so that none is partly filled.
struct Lanes {
  worker: u32,
  n_workers: u32,
  lane: u32,
  n_lanes: u32,
}

fn lane_sum(v: f32) -> f32 {
  return subgroupAdd(v);
}

fn lane_sum2(v: vec2<f32>) -> vec2<f32> {
  return subgroupAdd(v);
}

fn lane_sum3(v: vec3<f32>) -> vec3<f32> {
  return subgroupAdd(v);
}

fn lane_sum4(v: vec4<f32>) -> vec4<f32> {
  return subgroupAdd(v);
}

fn lane_max(v: f32) -> f32 {
  return subgroupMax(v);
}

fn lane_min_u32(v: u32) -> u32 {
  return subgroupMin(v);
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
  @builtin(subgroup_invocation_id) lane: u32,
  @builtin(subgroup_size) size: u32,
) {
  let per_group = WORKGROUP_SIZE / size;
  run(Lanes(group.x * per_group + local / size, groups.x * per_group, lane, size), group.y);
}
const WORKGROUP_SIZE: u32 = 256u;
const MIN_LANES: u32 = 32u;
const N_HEADS: u32 = 4u;
const N_KV_HEADS: u32 = 2u;
const HEAD_WIDTH: u32 = 64u;
const CONTEXT_TOKENS: u32 = 600u;
const SPLIT_TOKENS: u32 = 256u;
const SCALE: f32 = 0.125f;
const HAS_NORM: bool = true;
const WHOLE_ROW_NORM: bool = false;
const Q_NORM: u32 = 256u;
const K_NORM: u32 = 320u;
const EPSILON: f32 = 0.000001f;
const CLAMP: f32 = 3.4e+38f;
const INTERLEAVED: bool = false;
const ROPE_DIMS: u32 = 64u;
const ROPE_OFFSET: u32 = 256u;
const HAS_SINKS: bool = false;
const SINKS_AT: u32 = 0u;
const WINDOW: u32 = 0u;
const PARTIALS_AT: u32 = 256u;
const SUMS_AT: u32 = 1024u;
// Words of the sequence's state buffer (gpu/README.md).
const STATE_POSITION = 0u;
const STATE_TOKEN = 1u;
const STATE_FIRST_MISS_LAYER = 2u;
const STATE_STEP = 3u;
const NO_MISS = 0xFFFFFFFFu;
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
// Attention of one new token over a split of the cache, online softmax (Milakov and Gimelshein 2018; Dao et al. 2022). A worker takes a query
// head: its lanes hold the units of q and of the sum, four positions share one reduction. Grid: (workers over heads, live splits).
// The split that holds the new position also clamps, norms, rotates and appends k and v; it uses them from registers, rounded as they are stored, while
// the other workers read only earlier positions: no race. While only split 0 lives its workers write the output, else partials.
// HAS_SINKS: its softmax begins with the head's sink, a logit that brings no value (Xiao et al. 2023). WINDOW > 0: only positions above
// the new one − WINDOW are seen; a split before them leaves a partial that weighs nothing.
@group(0) @binding(0) var<storage, read> qkv: array<f32>; // [(H + 2G)·Hd]
@group(0) @binding(1) var<storage, read> vectors: array<f32>; // q and k norms, sinks [H] at SINKS_AT
@group(0) @binding(2) var<storage, read> globals: array<f32>; // RoPE inverse frequencies at ROPE_OFFSET
@group(0) @binding(3) var<storage, read> state: array<u32>;
@group(0) @binding(4) var<storage, read_write> keys: array<u32>; // [G, C] rows of a head (kvLayout)
@group(0) @binding(5) var<storage, read_write> values: array<u32>;
// output [H, Hd] | weighted [splits, H, Hd] at PARTIALS_AT | {max, sum} [splits, H] at SUMS_AT
@group(0) @binding(6) var<storage, read_write> attention: array<f32>;

const UNITS = HEAD_WIDTH / KV_UNIT;
const PER_LANE = (UNITS + MIN_LANES - 1u) / MIN_LANES;
const LEAST = -3.4028234e38;

fn with_norm(lanes: Lanes, start: u32, heads_at: u32, head: u32, n_heads: u32, weight: u32) -> Group {
  var g = Group(start, HEAD_WIDTH, weight, 1.0);
  if (WHOLE_ROW_NORM) {
    g = Group(heads_at, n_heads * HEAD_WIDTH, weight + head * HEAD_WIDTH, 1.0);
  }
  if (HAS_NORM) {
    var squares = 0.0;
    for (var i = lanes.lane; i < g.width; i += lanes.n_lanes) {
      let v = element(g, i);
      squares += v * v;
    }
    g.scale = 1.0 / sqrt(lane_sum(squares) / f32(g.width) + EPSILON);
  }
  g.start = start;
  return g;
}

fn query_group(lanes: Lanes, head: u32) -> Group {
  return with_norm(lanes, head * HEAD_WIDTH, 0u, head, N_HEADS, Q_NORM);
}

fn key_group(lanes: Lanes, kv_head: u32) -> Group {
  return with_norm(lanes, (N_HEADS + kv_head) * HEAD_WIDTH, N_HEADS * HEAD_WIDTH, kv_head, N_KV_HEADS, K_NORM);
}

fn run(lanes: Lanes, split: u32) {
  let position = state[STATE_POSITION];
  let first = split * SPLIT_TOKENS;
  if (first > position) {
    return;
  }
  let end = min(first + SPLIT_TOKENS, position);
  let appends = position - first < SPLIT_TOKENS;
  var seen = first;
  if (WINDOW > 0u && position >= WINDOW) {
    seen = max(first, position + 1u - WINDOW);
  }
  for (var head = lanes.worker; head < N_HEADS; head += lanes.n_workers) {
    let kv_head = head / (N_HEADS / N_KV_HEADS);
    let row = kv_head * CONTEXT_TOKENS;
    let query = query_group(lanes, head);
    var q: array<KvUnit, PER_LANE>;
    var sum: array<KvUnit, PER_LANE>;
    for (var j = 0u; j < PER_LANE; j++) {
      let unit = lanes.lane + j * lanes.n_lanes;
      q[j] = KvUnit();
      sum[j] = KvUnit();
      if (unit < UNITS) {
        q[j] = kv_rotated(query, unit, position) * SCALE;
      }
    }
    var greatest = LEAST;
    var total = 0.0;
    if (HAS_SINKS && appends) {
      greatest = vectors[SINKS_AT + head];
      total = 1.0;
    }
    for (var p = seen; p < end; p += 4u) {
      let last = end - 1u;
      let rows = vec4<u32>(row) + min(vec4<u32>(p, p + 1u, p + 2u, p + 3u), vec4<u32>(last));
      var dots = vec4<f32>();
      for (var j = 0u; j < PER_LANE; j++) {
        let unit = lanes.lane + j * lanes.n_lanes;
        if (unit < UNITS) {
          dots += vec4<f32>(
            dot(q[j], kv_load(false, rows.x, unit)),
            dot(q[j], kv_load(false, rows.y, unit)),
            dot(q[j], kv_load(false, rows.z, unit)),
            dot(q[j], kv_load(false, rows.w, unit)));
        }
      }
      let live = vec4<u32>(p) + vec4<u32>(0u, 1u, 2u, 3u) <= vec4<u32>(last);
      let scores = select(vec4<f32>(LEAST), lane_sum4(dots), live);
      let next = max(greatest, max(max(scores.x, scores.y), max(scores.z, scores.w)));
      let fade = exp(greatest - next);
      let weights = exp(scores - next);
      total = total * fade + ((weights.x + weights.y) + (weights.z + weights.w));
      greatest = next;
      for (var j = 0u; j < PER_LANE; j++) {
        let unit = lanes.lane + j * lanes.n_lanes;
        if (unit < UNITS) {
          sum[j] = sum[j] * fade
            + (weights.x * kv_load(true, rows.x, unit) + weights.y * kv_load(true, rows.y, unit))
            + (weights.z * kv_load(true, rows.z, unit) + weights.w * kv_load(true, rows.w, unit));
        }
      }
    }
    if (appends) {
      let key = key_group(lanes, kv_head);
      let value = Group((N_HEADS + N_KV_HEADS + kv_head) * HEAD_WIDTH, HEAD_WIDTH, 0u, 1.0);
      let stores = head % (N_HEADS / N_KV_HEADS) == 0u;
      var part = 0.0;
      for (var j = 0u; j < PER_LANE; j++) {
        let unit = lanes.lane + j * lanes.n_lanes;
        if (unit < UNITS) {
          part += dot(q[j], kv_append(false, key, unit, position, row + position, stores));
        }
      }
      let score = lane_sum(part);
      let next = max(greatest, score);
      let fade = exp(greatest - next);
      let weight = exp(score - next);
      total = total * fade + weight;
      greatest = next;
      for (var j = 0u; j < PER_LANE; j++) {
        let unit = lanes.lane + j * lanes.n_lanes;
        if (unit < UNITS) {
          sum[j] = sum[j] * fade + weight * kv_append(true, value, unit, position, row + position, stores);
        }
      }
    }
    let is_only = position < SPLIT_TOKENS;
    let out_at = select(PARTIALS_AT + (split * N_HEADS + head) * HEAD_WIDTH, head * HEAD_WIDTH, is_only);
    let divisor = select(1.0, total, is_only);
    for (var j = 0u; j < PER_LANE; j++) {
      let unit = lanes.lane + j * lanes.n_lanes;
      if (unit < UNITS) {
        let mixed = sum[j] / divisor;
        for (var e = 0u; e < KV_UNIT; e++) {
          attention[out_at + KV_UNIT * unit + e] = mixed[e];
        }
      }
    }
    if (!is_only && lanes.lane == 0u) {
      let sums_at = SUMS_AT + 2u * (split * N_HEADS + head);
      attention[sums_at] = greatest;
      attention[sums_at + 1u] = total;
    }
  }
}
