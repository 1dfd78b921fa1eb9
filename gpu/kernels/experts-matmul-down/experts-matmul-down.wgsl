// out[pair, d] = down[d]·hidden[place] for the tile's expert: from sorted places back to pairs, not weighted (experts-combine weighs).
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
  let unit_a = min(row_a, WIDTH - 1u) * UNITS;
  let unit_b = min(row_b, WIDTH - 1u) * UNITS;
  var sums: array<vec2<f32>, TILE_ROWS>;
  for (var unit = 0u; unit < UNITS; unit++) {
    let a = w_load32(0u, slot + DOWN_OFFSET, WIDTH * UNITS, unit_a + unit);
    let b = w_load32(0u, slot + DOWN_OFFSET, WIDTH * UNITS, unit_b + unit);
    var at = (tile.y * UNITS + unit) * 8u;
    for (var j = 0u; j < tile.z; j++) {
      let v = x_load32(at);
      sums[j] += vec2<f32>(unit_dot(a, v), unit_dot(b, v));
      at += UNITS * 8u;
    }
  }
  for (var j = 0u; j < tile.z; j++) {
    let at = pairs[tile.y + j] * WIDTH;
    if (row_a < WIDTH) {
      out[at + row_a] = sums[j].x;
    }
    if (row_b < WIDTH) {
      out[at + row_b] = sums[j].y;
    }
  }
}
