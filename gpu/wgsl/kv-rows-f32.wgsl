// Keys and values as f32, four to a vec4 of words (quant/kv-formats.ts).
fn kv_load8(is_value: bool, row: u32, eight: u32) -> mat2x4<f32> {
  let at = 2u * (row * params.eights + eight);
  return mat2x4<f32>(bitcast<vec4<f32>>(kv_read4(is_value, at)), bitcast<vec4<f32>>(kv_read4(is_value, at + 1u)));
}
