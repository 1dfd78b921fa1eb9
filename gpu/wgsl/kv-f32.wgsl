// Keys and values as f32, one to a word (quant/kv-formats.ts). A unit is two elements.
const KV_UNIT = 2u;
alias KvUnit = vec2<f32>;

fn kv_load(is_value: bool, row: u32, unit: u32) -> KvUnit {
  let at = row * HEAD_WIDTH + KV_UNIT * unit;
  return bitcast<vec2<f32>>(vec2<u32>(kv_read(is_value, at), kv_read(is_value, at + 1u)));
}

fn kv_rotated(g: Group, unit: u32, position: u32) -> KvUnit {
  return rotated(g, unit, f32(position));
}

fn kv_append(is_value: bool, g: Group, unit: u32, position: u32, row: u32, stores: bool) -> KvUnit {
  let v = appended(is_value, g, unit, position);
  if (stores) {
    let at = row * HEAD_WIDTH + KV_UNIT * unit % HEAD_WIDTH;
    kv_write(is_value, at, bitcast<u32>(v.x));
    kv_write(is_value, at + 1u, bitcast<u32>(v.y));
  }
  return v;
}
