const LANES: u32 = 32u;
const TILE_ROWS: u32 = 16u;
const BIAS: u32 = 0u;
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
// out[pair, d] = down[d]·hidden[place] (+ bias) for the tile's expert: from sorted places back to pairs, not weighted (experts-combine weighs).
// An invocation owns two rows of down and the tile's places; see matmul.wgsl for the loop. Tiles past the end exit at once.
@group(0) @binding(6) var<storage, read> x: array<vec4<f32>>; // hidden [T·K, F]
@group(0) @binding(7) var<storage, read_write> out: array<f32>; // [T·K, D]

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
  let row_a = group.x * (2u * LANES) + lane;
  let row_b = row_a + LANES;
  let unit_a = min(row_a, params.rows - 1u) * params.units;
  let unit_b = min(row_b, params.rows - 1u) * params.units;
  let n_units = params.rows * params.units;
  var sums: array<vec2<f32>, TILE_ROWS>;
  for (var unit = 0u; unit < params.units; unit++) {
    let a = w_load32(0u, slot + params.part_a, n_units, unit_a + unit);
    let b = w_load32(0u, slot + params.part_a, n_units, unit_b + unit);
    var at = (tile.y * params.units + unit) * 8u;
    for (var j = 0u; j < tile.z; j++) {
      let v = x_load32(at);
      sums[j] += vec2<f32>(unit_dot(a, v), unit_dot(b, v));
      at += params.units * 8u;
    }
  }
  for (var j = 0u; j < tile.z; j++) {
    let at = pairs[tile.y + j] * params.rows;
    if (row_a < params.rows) {
      out[at + row_a] = biased(sums[j].x, BIAS, tile.x, row_a);
    }
    if (row_b < params.rows) {
      out[at + row_b] = biased(sums[j].y, BIAS, tile.x, row_b);
    }
  }
}
