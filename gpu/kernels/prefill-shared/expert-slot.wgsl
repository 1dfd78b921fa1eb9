// Weights of the workgroup's expert, through the slot table: two shards of the slab are bound, first_shard and the next.
// A dispatch serves the experts whose slot lies in its two shards; a slab of more shards takes more dispatches.
struct Params {
  table_offset: u32, // of the layer's row in the slot table
  first_shard: u32,
  slot_vec4: u32, // stride of a slot
  part_a: u32, // of the slot, in vec4: gate or down
  part_b: u32, // up
  rows: u32, // of the projection
  units: u32, // of one of its rows
  n_used: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> shard_a: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> shard_b: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read> slot_table: array<u32>;
@group(0) @binding(4) var<storage, read> tiles: array<vec4<u32>>;
@group(0) @binding(5) var<storage, read> pairs: array<u32>;

var<private> in_shard_b: bool;

fn w_read(i: u32) -> vec4<u32> {
  if (in_shard_b) {
    return shard_b[i];
  }
  return shard_a[i];
}

// The first vec4 of the expert's slot, or ABSENT where another dispatch serves it (or nobody: the slot table has no slot for it).
const ABSENT = 0xFFFFFFFFu;
fn find_slot(expert: u32) -> u32 {
  let entry = slot_table[params.table_offset + expert];
  let shard = (entry >> 24u) - params.first_shard; // wraps below first_shard
  if (entry == ABSENT || shard > 1u) {
    return ABSENT;
  }
  in_shard_b = shard == 1u;
  return (entry & 0xFFFFFFu) * params.slot_vec4;
}
