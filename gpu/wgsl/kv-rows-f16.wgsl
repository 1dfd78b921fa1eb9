// Keys and values as f16, eight to a vec4 of words (quant/kv-formats.ts).
fn kv_load8(is_value: bool, row: u32, eight: u32) -> mat2x4<f32> {
  let w = kv_read4(is_value, row * params.eights + eight);
  return mat2x4<f32>(
    vec4<f32>(unpack2x16float(w.x), unpack2x16float(w.y)),
    vec4<f32>(unpack2x16float(w.z), unpack2x16float(w.w)),
  );
}
