// Q5_K, plane: blocks of 8 units as in the file, 11 vec4: {d, dmin, 12 bytes of 6-bit scales}, fifth bits (2 vec4: bit g of byte i is of weight i of
// unit g), then nibbles, 2 vec4 for two units. w = (d·sc)·q − (dmin·mn). See gpu/quant/q5-k.ts.
fn q5_k_scale(header: vec4<u32>, group: u32) -> vec2<f32> {
  let shift = (group & 3u) * 8u;
  let a = header.y >> shift;
  let b = header.z >> shift;
  let c = header.w >> shift;
  let early = vec2<u32>(a & 63u, b & 63u);
  let late = vec2<u32>((c & 15u) | ((a >> 2u) & 48u), ((c >> 4u) & 15u) | ((b >> 2u) & 48u));
  return unpack2x16float(header.x) * vec2<f32>(select(late, early, group < 4u));
}

fn q5_k_quants(low: u32, high: u32) -> vec4<f32> {
  let spread = vec4<u32>(0u, 8u, 16u, 24u);
  let l = (vec4<i32>(bitcast<i32>(low)) >> spread) & vec4<i32>(15);
  let h = (vec4<i32>(bitcast<i32>(high)) >> spread) & vec4<i32>(1);
  return vec4<f32>(l | (h << vec4<u32>(4u)));
}

fn q5_k_load32(base: u32, n_units: u32, unit: u32) -> array<vec4<f32>, 8> {
  let block = base + (unit >> 3u) * 11u;
  let group = unit & 7u;
  let dm = q5_k_scale(w_read(block), group);
  let at = block + 3u + (group >> 1u) * 2u;
  let a = w_read(at) >> vec4<u32>((group & 1u) * 4u);
  let b = w_read(at + 1u) >> vec4<u32>((group & 1u) * 4u);
  let c = w_read(block + 1u) >> vec4<u32>(group);
  let d = w_read(block + 2u) >> vec4<u32>(group);
  return array<vec4<f32>, 8>(
    q5_k_quants(a.x, c.x) * dm.x - dm.y, q5_k_quants(a.y, c.y) * dm.x - dm.y,
    q5_k_quants(a.z, c.z) * dm.x - dm.y, q5_k_quants(a.w, c.w) * dm.x - dm.y,
    q5_k_quants(b.x, d.x) * dm.x - dm.y, q5_k_quants(b.y, d.y) * dm.x - dm.y,
    q5_k_quants(b.z, d.z) * dm.x - dm.y, q5_k_quants(b.w, d.w) * dm.x - dm.y);
}

fn q5_k_dot32(base: u32, n_units: u32, unit: u32, x: ptr<function, array<vec4<f32>, 8>>) -> f32 {
  let block = base + (unit >> 3u) * 11u;
  let group = unit & 7u;
  let dm = q5_k_scale(w_read(block), group);
  let at = block + 3u + (group >> 1u) * 2u;
  let a = w_read(at) >> vec4<u32>((group & 1u) * 4u);
  let b = w_read(at + 1u) >> vec4<u32>((group & 1u) * 4u);
  let c = w_read(block + 1u) >> vec4<u32>(group);
  let d = w_read(block + 2u) >> vec4<u32>(group);
  var sum = (q5_k_quants(a.x, c.x) * dm.x - dm.y) * (*x)[0];
  sum += (q5_k_quants(a.y, c.y) * dm.x - dm.y) * (*x)[1];
  sum += (q5_k_quants(a.z, c.z) * dm.x - dm.y) * (*x)[2];
  sum += (q5_k_quants(a.w, c.w) * dm.x - dm.y) * (*x)[3];
  sum += (q5_k_quants(b.x, d.x) * dm.x - dm.y) * (*x)[4];
  sum += (q5_k_quants(b.y, d.y) * dm.x - dm.y) * (*x)[5];
  sum += (q5_k_quants(b.z, d.z) * dm.x - dm.y) * (*x)[6];
  sum += (q5_k_quants(b.w, d.w) * dm.x - dm.y) * (*x)[7];
  return (sum.x + sum.y) + (sum.z + sum.w);
}
