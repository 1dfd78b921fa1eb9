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
