// Keys and values as f16, two to a word (quant/kv-formats.ts). A unit is the two elements of a word.
const KV_UNIT = 2u;
alias KvUnit = vec2<f32>;
// The largest finite f16: a larger key or value is stored as this, since packing it is not defined.
const F16_MAX = 65504.0;

fn kv_load(is_value: bool, row: u32, unit: u32) -> KvUnit {
  return unpack2x16float(kv_read(is_value, row * (HEAD_WIDTH / KV_UNIT) + unit));
}

fn kv_rotated(g: Group, unit: u32, position: u32) -> KvUnit {
  return rotated(g, unit, f32(position));
}

fn kv_append(is_value: bool, g: Group, unit: u32, position: u32, row: u32, stores: bool) -> KvUnit {
  let v = clamp(appended(is_value, g, unit, position), vec2<f32>(-F16_MAX), vec2<f32>(F16_MAX));
  let word = pack2x16float(v);
  if (stores) {
    kv_write(is_value, row * (HEAD_WIDTH / KV_UNIT) + unit % (HEAD_WIDTH / KV_UNIT), word);
  }
  return unpack2x16float(word | kv_opaque_zero(position));
}
