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
const ROWS: u32 = 64u;
const UNITS: u32 = 3u;
const N_USED: u32 = 2u;
const DOWN_KIND: u32 = 0u;
const DOWN_OFFSET: u32 = 432u;
const SLOT_VEC4: u32 = 656u;
const TWO_SHARDS: bool = false;
const IDS_AT: u32 = 192u;
const WEIGHTS_AT: u32 = 194u;
const HAS_BIASES: bool = false;
const BIAS_AT: u32 = 0u;
const SHARED_UNITS: u32 = 4u;
const SHARED_KIND: u32 = 1u;
const SHARED_AT: u32 = 12u;
const HAS_OUTPUT_GATE: bool = true;
const GATE_AT: u32 = 8u;
// The four signed bytes of a word, the lowest first.
fn i8x4(word: u32) -> vec4<f32> {
  return vec4<f32>((vec4<i32>(bitcast<i32>(word)) << vec4<u32>(24u, 16u, 8u, 0u)) >> vec4<u32>(24u));
}
// Q8_0, planes: i8 quants (2 vec4 a unit), f16 scales (8 a vec4). w = d·q. See gpu/quant/q8-0.ts.
fn q8_0_scale(base: u32, n_units: u32, unit: u32) -> f32 {
  let scales = w_read(base + n_units * 2u + (unit >> 3u));
  return unpack2x16float(scales[(unit >> 1u) & 3u] >> ((unit & 1u) * 16u)).x;
}

fn q8_0_load32(base: u32, n_units: u32, unit: u32) -> array<vec4<f32>, 8> {
  let d = q8_0_scale(base, n_units, unit);
  let a = w_read(base + unit * 2u);
  let b = w_read(base + unit * 2u + 1u);
  return array<vec4<f32>, 8>(
    i8x4(a.x) * d, i8x4(a.y) * d, i8x4(a.z) * d, i8x4(a.w) * d,
    i8x4(b.x) * d, i8x4(b.y) * d, i8x4(b.z) * d, i8x4(b.w) * d);
}

fn q8_0_dot32(base: u32, n_units: u32, unit: u32, x: ptr<function, array<vec4<f32>, 8>>) -> f32 {
  let a = w_read(base + unit * 2u);
  let b = w_read(base + unit * 2u + 1u);
  var sum = i8x4(a.x) * (*x)[0];
  sum += i8x4(a.y) * (*x)[1];
  sum += i8x4(a.z) * (*x)[2];
  sum += i8x4(a.w) * (*x)[3];
  sum += i8x4(b.x) * (*x)[4];
  sum += i8x4(b.y) * (*x)[5];
  sum += i8x4(b.z) * (*x)[6];
  sum += i8x4(b.w) * (*x)[7];
  return q8_0_scale(base, n_units, unit) * ((sum.x + sum.y) + (sum.z + sum.w));
}
// Q4_0, planes: nibbles (1 vec4 a unit: weights 0…15 low, 16…31 high), f16 scales (8 a vec4). w = d·(q − 8). See gpu/quant/q4-0.ts.
fn q4_0_scale(base: u32, n_units: u32, unit: u32) -> f32 {
  let scales = w_read(base + n_units + (unit >> 3u));
  return unpack2x16float(scales[(unit >> 1u) & 3u] >> ((unit & 1u) * 16u)).x;
}

fn q4_0_low(word: u32) -> vec4<f32> {
  return vec4<f32>((vec4<i32>(bitcast<i32>(word)) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<i32>(15)) - 8.0;
}

fn q4_0_load32(base: u32, n_units: u32, unit: u32) -> array<vec4<f32>, 8> {
  let d = q4_0_scale(base, n_units, unit);
  let q = w_read(base + unit);
  let h = q >> vec4<u32>(4u);
  return array<vec4<f32>, 8>(
    q4_0_low(q.x) * d, q4_0_low(q.y) * d, q4_0_low(q.z) * d, q4_0_low(q.w) * d,
    q4_0_low(h.x) * d, q4_0_low(h.y) * d, q4_0_low(h.z) * d, q4_0_low(h.w) * d);
}

fn q4_0_dot32(base: u32, n_units: u32, unit: u32, x: ptr<function, array<vec4<f32>, 8>>) -> f32 {
  let q = w_read(base + unit);
  let h = q >> vec4<u32>(4u);
  var sum = q4_0_low(q.x) * (*x)[0];
  sum += q4_0_low(q.y) * (*x)[1];
  sum += q4_0_low(q.z) * (*x)[2];
  sum += q4_0_low(q.w) * (*x)[3];
  sum += q4_0_low(h.x) * (*x)[4];
  sum += q4_0_low(h.y) * (*x)[5];
  sum += q4_0_low(h.z) * (*x)[6];
  sum += q4_0_low(h.w) * (*x)[7];
  return q4_0_scale(base, n_units, unit) * ((sum.x + sum.y) + (sum.z + sum.w));
}
fn w_load32(kind: u32, base: u32, n_units: u32, unit: u32) -> array<vec4<f32>, 8> {
  switch (kind) {
    case 1u: { return q4_0_load32(base, n_units, unit); }
    default: { return q8_0_load32(base, n_units, unit); }
  }
}
fn w_dot32(kind: u32, base: u32, n_units: u32, unit: u32, x: ptr<function, array<vec4<f32>, 8>>) -> f32 {
  switch (kind) {
    case 1u: { return q4_0_dot32(base, n_units, unit, x); }
    default: { return q8_0_dot32(base, n_units, unit, x); }
  }
}
// Weights of experts in a slab of at most two shards. The kernel binds shard_a, shard_b and slot_table and, where SHARED_ROWS or another
// constant says so, reads further weights as source 2. A slot starts at slot · SLOT_VEC4 of its shard.
const ABSENT = 0xFFFFFFFFu;
var<private> from_shard_b: bool;

fn slab_read(i: u32) -> vec4<u32> {
  if (TWO_SHARDS && from_shard_b) {
    return shard_b[i];
  }
  return shard_a[i];
}

// Turns slab_read to the shard of the expert whose table entry this is; the first vec4 of its slot.
fn open_slot(entry: u32) -> u32 {
  from_shard_b = (entry >> 24u) == 1u;
  return (entry & 0xFFFFFFu) * SLOT_VEC4;
}
// Dot products of matrix rows with an input vector: the kernel offers x_read(i) → elements 4i … 4i + 3. A worker takes four rows at a time,
// so that a unit of x is loaded once for them; each row's sum has the order that it would have alone.
fn load_x32(unit: u32, x: ptr<function, array<vec4<f32>, 8>>) {
  let at = unit * 8u;
  (*x)[0] = x_read(at);
  (*x)[1] = x_read(at + 1u);
  (*x)[2] = x_read(at + 2u);
  (*x)[3] = x_read(at + 3u);
  (*x)[4] = x_read(at + 4u);
  (*x)[5] = x_read(at + 5u);
  (*x)[6] = x_read(at + 6u);
  (*x)[7] = x_read(at + 7u);
}

// W[row … row + 3] · x for rows of `units` units; rows past the last give the last one's result. Every lane has the results.
fn row_dots(lanes: Lanes, kind: u32, base: u32, n_rows: u32, units: u32, row: u32) -> vec4<f32> {
  let n_units = n_rows * units;
  let starts = min(vec4<u32>(row, row + 1u, row + 2u, row + 3u), vec4<u32>(n_rows - 1u)) * units;
  var sums = vec4<f32>();
  for (var unit = lanes.lane; unit < units; unit += lanes.n_lanes) {
    var x: array<vec4<f32>, 8>;
    load_x32(unit, &x);
    sums += vec4<f32>(
      w_dot32(kind, base, n_units, starts.x + unit, &x),
      w_dot32(kind, base, n_units, starts.y + unit, &x),
      w_dot32(kind, base, n_units, starts.z + unit, &x),
      w_dot32(kind, base, n_units, starts.w + unit, &x));
  }
  return lane_sum4(sums);
}
// silu(g) = g / (1 + e^-g). The exponent is held below overflow: for g < -80 the result is below 1e-33 either way.
fn silu(g: vec4<f32>) -> vec4<f32> {
  return g / (1.0 + exp(min(-g, vec4<f32>(80.0))));
}

fn sigmoid(g: f32) -> f32 {
  return 1.0 / (1.0 + exp(min(-g, 80.0)));
}

// silu(gate) · up of two rows: {gate, up, gate, up}.
fn gated(pairs: vec4<f32>) -> vec2<f32> {
  return silu(vec4<f32>(pairs.xz, 0.0, 0.0)).xy * pairs.yw;
}
// h_out = h_mid + (Σ over ranks in order of weight · (D_expert · hidden[rank] (+ bias)) + sigmoid(gate) · (D_shared · shared hidden)).
// A worker takes every n-th block of four rows of D through all ranks, so the order of additions is that of the ranks.
struct Params {
  table_offset: u32, // of the layer's row in the slot table
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> shard_a: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> shard_b: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read> slot_table: array<u32>;
@group(0) @binding(4) var<storage, read> expert_rows: array<vec4<u32>>; // as experts-up leaves it: hidden [K, F], ids, weights
@group(0) @binding(5) var<storage, read> routed: array<vec4<f32>>; // gate logit at GATE_AT, shared hidden [Fs] at SHARED_AT
@group(0) @binding(6) var<storage, read> shared_weights: array<vec4<u32>>; // planes of the shared down matrix [D, Fs], or f32 vectors with biases [E, D] at BIAS_AT
@group(0) @binding(7) var<storage, read> h_mid: array<f32>; // [D]
@group(0) @binding(8) var<storage, read_write> h_out: array<f32>; // [D]

var<private> from_shared: bool;
var<private> x_at: u32; // in vec4, of expert_rows or routed

fn w_read(i: u32) -> vec4<u32> {
  if (SHARED_UNITS > 0u && from_shared) {
    return shared_weights[i];
  }
  return slab_read(i);
}

fn x_read(i: u32) -> vec4<f32> {
  if (SHARED_UNITS > 0u && from_shared) {
    return routed[x_at + i];
  }
  return bitcast<vec4<f32>>(expert_rows[x_at + i]);
}

fn word(at: u32) -> u32 {
  return expert_rows[at / 4u][at % 4u];
}

fn bias(expert: u32, row: u32) -> f32 {
  let at = BIAS_AT + expert * ROWS + min(row, ROWS - 1u);
  return bitcast<f32>(shared_weights[at / 4u][at % 4u]);
}

fn run(lanes: Lanes, group_y: u32) {
  for (var row = 4u * lanes.worker; row < ROWS; row += 4u * lanes.n_workers) {
    var totals = vec4<f32>();
    from_shared = false;
    for (var rank = 0u; rank < N_USED; rank++) {
      let expert = word(IDS_AT + rank);
      let entry = slot_table[params.table_offset + expert];
      if (entry != ABSENT) {
        let slot = open_slot(entry);
        x_at = rank * UNITS * 8u;
        let weight = bitcast<f32>(word(WEIGHTS_AT + rank));
        var outputs = row_dots(lanes, DOWN_KIND, slot + DOWN_OFFSET, ROWS, UNITS, row);
        if (HAS_BIASES) {
          outputs += vec4<f32>(bias(expert, row), bias(expert, row + 1u), bias(expert, row + 2u), bias(expert, row + 3u));
        }
        totals += weight * outputs;
      }
    }
    if (SHARED_UNITS > 0u) {
      from_shared = true;
      x_at = SHARED_AT / 4u;
      var results = row_dots(lanes, SHARED_KIND, 0u, ROWS, SHARED_UNITS, row);
      if (HAS_OUTPUT_GATE) {
        results *= sigmoid(routed[GATE_AT / 4u][GATE_AT % 4u]);
      }
      totals += results;
    }
    if (lanes.lane == 0u) {
      for (var i = 0u; i < min(4u, ROWS - row); i++) {
        h_out[row + i] = h_mid[row + i] + totals[i];
      }
    }
  }
}
