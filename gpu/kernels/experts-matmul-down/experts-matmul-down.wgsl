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
