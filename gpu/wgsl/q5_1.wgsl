// Q5_1, planes: nibbles (1 vec4 a unit: weights 0…15 low, 16…31 high), then two words a unit: f16 d and m, and the fifth bits (bit i of weight i).
// w = d·q + m. See gpu/quant/q5-1.ts.
fn q5_1_header(base: u32, n_units: u32, unit: u32) -> vec2<u32> {
  let headers = w_read(base + n_units + (unit >> 1u));
  return select(headers.xy, headers.zw, (unit & 1u) == 1u);
}

// Four numbers of the low nibbles of a word and the lowest four bits of another.
fn q5_1_quants(low: u32, high: u32) -> vec4<f32> {
  let l = (vec4<i32>(bitcast<i32>(low)) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<i32>(15);
  let h = (vec4<i32>(bitcast<i32>(high)) << vec4<u32>(4u, 3u, 2u, 1u)) & vec4<i32>(16);
  return vec4<f32>(l | h);
}

fn q5_1_load32(base: u32, n_units: u32, unit: u32) -> array<vec4<f32>, 8> {
  let header = q5_1_header(base, n_units, unit);
  let dm = unpack2x16float(header.x);
  let b = header.y;
  let q = w_read(base + unit);
  let h = q >> vec4<u32>(4u);
  return array<vec4<f32>, 8>(
    q5_1_quants(q.x, b) * dm.x + dm.y, q5_1_quants(q.y, b >> 4u) * dm.x + dm.y,
    q5_1_quants(q.z, b >> 8u) * dm.x + dm.y, q5_1_quants(q.w, b >> 12u) * dm.x + dm.y,
    q5_1_quants(h.x, b >> 16u) * dm.x + dm.y, q5_1_quants(h.y, b >> 20u) * dm.x + dm.y,
    q5_1_quants(h.z, b >> 24u) * dm.x + dm.y, q5_1_quants(h.w, b >> 28u) * dm.x + dm.y);
}

fn q5_1_dot32(base: u32, n_units: u32, unit: u32, x: ptr<function, array<vec4<f32>, 8>>) -> f32 {
  let header = q5_1_header(base, n_units, unit);
  let dm = unpack2x16float(header.x);
  let b = header.y;
  let q = w_read(base + unit);
  let h = q >> vec4<u32>(4u);
  var sum = (q5_1_quants(q.x, b) * dm.x + dm.y) * (*x)[0];
  sum += (q5_1_quants(q.y, b >> 4u) * dm.x + dm.y) * (*x)[1];
  sum += (q5_1_quants(q.z, b >> 8u) * dm.x + dm.y) * (*x)[2];
  sum += (q5_1_quants(q.w, b >> 12u) * dm.x + dm.y) * (*x)[3];
  sum += (q5_1_quants(h.x, b >> 16u) * dm.x + dm.y) * (*x)[4];
  sum += (q5_1_quants(h.y, b >> 20u) * dm.x + dm.y) * (*x)[5];
  sum += (q5_1_quants(h.z, b >> 24u) * dm.x + dm.y) * (*x)[6];
  sum += (q5_1_quants(h.w, b >> 28u) * dm.x + dm.y) * (*x)[7];
  return (sum.x + sum.y) + (sum.z + sum.w);
}
