const LANES: u32 = 32u;
const TILE_ROWS: u32 = 16u;
const GATE_KIND: u32 = 0u;
const UP_KIND: u32 = 0u;
const GATE_BIAS: u32 = 0u;
const UP_BIAS: u32 = 0u;
const IS_SILU: bool = true;
// F32, plane: 32 weights = 8 vec4. See gpu/quant/f32.ts.
fn f32_load32(base: u32, n_units: u32, unit: u32) -> array<vec4<f32>, 8> {
  let at = base + unit * 8u;
  return array<vec4<f32>, 8>(
    bitcast<vec4<f32>>(w_read(at)), bitcast<vec4<f32>>(w_read(at + 1u)),
    bitcast<vec4<f32>>(w_read(at + 2u)), bitcast<vec4<f32>>(w_read(at + 3u)),
    bitcast<vec4<f32>>(w_read(at + 4u)), bitcast<vec4<f32>>(w_read(at + 5u)),
    bitcast<vec4<f32>>(w_read(at + 6u)), bitcast<vec4<f32>>(w_read(at + 7u)));
}

fn f32_dot32(base: u32, n_units: u32, unit: u32, x: ptr<function, array<vec4<f32>, 8>>) -> f32 {
  let at = base + unit * 8u;
  var sum = bitcast<vec4<f32>>(w_read(at)) * (*x)[0];
  sum += bitcast<vec4<f32>>(w_read(at + 1u)) * (*x)[1];
  sum += bitcast<vec4<f32>>(w_read(at + 2u)) * (*x)[2];
  sum += bitcast<vec4<f32>>(w_read(at + 3u)) * (*x)[3];
  sum += bitcast<vec4<f32>>(w_read(at + 4u)) * (*x)[4];
  sum += bitcast<vec4<f32>>(w_read(at + 5u)) * (*x)[5];
  sum += bitcast<vec4<f32>>(w_read(at + 6u)) * (*x)[6];
  sum += bitcast<vec4<f32>>(w_read(at + 7u)) * (*x)[7];
  return (sum.x + sum.y) + (sum.z + sum.w);
}
fn w_load32(kind: u32, base: u32, n_units: u32, unit: u32) -> array<vec4<f32>, 8> {
  return f32_load32(base, n_units, unit);
}
fn w_dot32(kind: u32, base: u32, n_units: u32, unit: u32, x: ptr<function, array<vec4<f32>, 8>>) -> f32 {
  return f32_dot32(base, n_units, unit, x);
}
// Weights of the workgroup's expert, through the slot table: two shards of the slab are bound, first_shard and the next.
// A dispatch serves the experts whose slot lies in its two shards; a slab of more shards takes more dispatches.
struct Params {
  table_offset: u32, // of the layer's row in the slot table
  first_shard: u32,
  slot_vec4: u32, // stride of a slot
  part_a: u32, // of the slot, in vec4: gate or down
  part_b: u32, // up
  rows: u32, // of the projection
  units: u32, // of one of its rows
  n_used: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> shard_a: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> shard_b: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read> slot_table: array<u32>;
@group(0) @binding(4) var<storage, read> tiles: array<vec4<u32>>;
@group(0) @binding(5) var<storage, read> pairs: array<u32>;

var<private> in_shard_b: bool;

fn w_read(i: u32) -> vec4<u32> {
  if (in_shard_b) {
    return shard_b[i];
  }
  return shard_a[i];
}

// The first vec4 of the expert's slot, or ABSENT where another dispatch serves it (or nobody: the slot table has no slot for it).
const ABSENT = 0xFFFFFFFFu;
fn find_slot(expert: u32) -> u32 {
  let entry = slot_table[params.table_offset + expert];
  let shard = (entry >> 24u) - params.first_shard; // wraps below first_shard
  if (entry == ABSENT || shard > 1u) {
    return ABSENT;
  }
  in_shard_b = shard == 1u;
  return (entry & 0xFFFFFFu) * params.slot_vec4;
}
// Experts without biases.
fn biased(sum: f32, start: u32, expert: u32, row: u32) -> f32 {
  return sum;
}
// A unit of activations and its product with a unit of weights. The order of additions inside a unit is this one everywhere in prefill.
fn x_load32(i: u32) -> array<vec4<f32>, 8> {
  return array<vec4<f32>, 8>(x[i], x[i + 1u], x[i + 2u], x[i + 3u], x[i + 4u], x[i + 5u], x[i + 6u], x[i + 7u]);
}

fn unit_dot(w: array<vec4<f32>, 8>, v: array<vec4<f32>, 8>) -> f32 {
  return ((dot(w[0], v[0]) + dot(w[1], v[1])) + (dot(w[2], v[2]) + dot(w[3], v[3])))
    + ((dot(w[4], v[4]) + dot(w[5], v[5])) + (dot(w[6], v[6]) + dot(w[7], v[7])));
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
// hidden[place, f] = silu(gate[f]·x) · (up[f]·x), or another activation of both (+ biases), for the tile's expert and its pairs' tokens, in sorted order.
// An invocation owns row f of gate and of up and the tile's places; see matmul.wgsl for the loop. Tiles past the end exit at once.
@group(0) @binding(6) var<storage, read> x: array<vec4<f32>>; // [T, D]
@group(0) @binding(7) var<storage, read_write> hidden: array<f32>; // [T·K, F]

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let tile = tiles[group.y];
  if (tile.z == 0u) {
    return;
  }
  let slot = find_slot(tile.x);
  if (slot == ABSENT) {
    return;
  }
  let row = group.x * LANES + lane;
  let first_unit = min(row, params.rows - 1u) * params.units;
  let n_units = params.rows * params.units;
  var starts: array<u32, TILE_ROWS>;
  for (var j = 0u; j < tile.z; j++) {
    starts[j] = pairs[tile.y + j] / params.n_used * (params.units * 8u);
  }
  var sums: array<vec2<f32>, TILE_ROWS>;
  for (var unit = 0u; unit < params.units; unit++) {
    let gate = w_load32(GATE_KIND, slot + params.part_a, n_units, first_unit + unit);
    let up = w_load32(UP_KIND, slot + params.part_b, n_units, first_unit + unit);
    for (var j = 0u; j < tile.z; j++) {
      let v = x_load32(starts[j] + unit * 8u);
      sums[j] += vec2<f32>(unit_dot(gate, v), unit_dot(up, v));
    }
  }
  if (row >= params.rows) {
    return;
  }
  for (var j = 0u; j < tile.z; j++) {
    let g = biased(sums[j].x, GATE_BIAS, tile.x, row);
    let u = biased(sums[j].y, UP_BIAS, tile.x, row);
    var value = g * sigmoid(g) * u;
    if (!IS_SILU) {
      value = gated(vec4<f32>(g, u, g, u)).x;
    }
    hidden[(tile.y + j) * params.rows + row] = value;
  }
}
