// Q3_K, planes over blocks of 8 units: third bits (2 vec4: bit g of byte i is of weight i of unit g), low bits (4 vec4, 2 for four units), 6-bit scales
// (3 words, one scale per 16 weights), f16 d (8 a vec4). w = (d·(sc − 32))·(q − 4). See gpu/quant/q3-k.ts.
fn q3_k_scale(base: u32, n_units: u32, unit: u32) -> vec2<f32> {
  let n_blocks = n_units >> 3u;
  let block = unit >> 3u;
  let group = unit & 7u;
  let at = base + n_blocks * 6u;
  // Of the block's words two hold low nibbles, the third the high bits; a unit has two bytes next to each other in either.
  let word = block * 3u + ((group >> 1u) & 1u);
  let bytes = (group & 1u) * 16u;
  let low = (w_read(at + (word >> 2u))[word & 3u] >> (bytes + (group >> 2u) * 4u)) & 0x0F0Fu;
  let last = block * 3u + 2u;
  let high = (w_read(at + (last >> 2u))[last & 3u] >> (bytes + (group >> 1u) * 2u)) & 0x0303u;
  let pair = low | (high << 4u);
  let ds = w_read(at + ((n_blocks * 3u + 3u) >> 2u) + (block >> 3u));
  let d = unpack2x16float(ds[(block >> 1u) & 3u] >> ((block & 1u) * 16u)).x;
  return d * (vec2<f32>(vec2<i32>(i32(pair & 63u), i32(pair >> 8u))) - 32.0);
}

fn q3_k_quants(low: u32, high: u32) -> vec4<f32> {
  let spread = vec4<u32>(0u, 8u, 16u, 24u);
  let l = (vec4<i32>(bitcast<i32>(low)) >> spread) & vec4<i32>(3);
  let h = (vec4<i32>(bitcast<i32>(high)) >> spread) & vec4<i32>(1);
  return vec4<f32>(l | (h << vec4<u32>(2u))) - 4.0;
}

fn q3_k_load32(base: u32, n_units: u32, unit: u32) -> array<vec4<f32>, 8> {
  let block = unit >> 3u;
  let group = unit & 7u;
  let ds = q3_k_scale(base, n_units, unit);
  let qs = base + (n_units >> 3u) * 2u + block * 4u + (group >> 2u) * 2u;
  let a = w_read(qs) >> vec4<u32>((group & 3u) * 2u);
  let b = w_read(qs + 1u) >> vec4<u32>((group & 3u) * 2u);
  let c = w_read(base + block * 2u) >> vec4<u32>(group);
  let d = w_read(base + block * 2u + 1u) >> vec4<u32>(group);
  return array<vec4<f32>, 8>(
    q3_k_quants(a.x, c.x) * ds.x, q3_k_quants(a.y, c.y) * ds.x, q3_k_quants(a.z, c.z) * ds.x, q3_k_quants(a.w, c.w) * ds.x,
    q3_k_quants(b.x, d.x) * ds.y, q3_k_quants(b.y, d.y) * ds.y, q3_k_quants(b.z, d.z) * ds.y, q3_k_quants(b.w, d.w) * ds.y);
}

fn q3_k_dot32(base: u32, n_units: u32, unit: u32, x: ptr<function, array<vec4<f32>, 8>>) -> f32 {
  let block = unit >> 3u;
  let group = unit & 7u;
  let ds = q3_k_scale(base, n_units, unit);
  let qs = base + (n_units >> 3u) * 2u + block * 4u + (group >> 2u) * 2u;
  let a = w_read(qs) >> vec4<u32>((group & 3u) * 2u);
  let b = w_read(qs + 1u) >> vec4<u32>((group & 3u) * 2u);
  let c = w_read(base + block * 2u) >> vec4<u32>(group);
  let d = w_read(base + block * 2u + 1u) >> vec4<u32>(group);
  var first = q3_k_quants(a.x, c.x) * (*x)[0];
  first += q3_k_quants(a.y, c.y) * (*x)[1];
  first += q3_k_quants(a.z, c.z) * (*x)[2];
  first += q3_k_quants(a.w, c.w) * (*x)[3];
  var second = q3_k_quants(b.x, d.x) * (*x)[4];
  second += q3_k_quants(b.y, d.y) * (*x)[5];
  second += q3_k_quants(b.z, d.z) * (*x)[6];
  second += q3_k_quants(b.w, d.w) * (*x)[7];
  let sum = first * ds.x + second * ds.y;
  return (sum.x + sum.y) + (sum.z + sum.w);
}
