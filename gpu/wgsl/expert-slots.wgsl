// Weights of experts in a slab of at most two shards. The kernel binds shard_a, shard_b and slot_table and, where SHARED_ROWS or another
// constant says so, reads further weights as source 2. A slot starts at slot · SLOT_VEC4 of its shard.
const ABSENT = 0xFFFFFFFFu;
var<private> from_shard_b: bool;

fn slab_read(i: u32) -> vec4<u32> {
  if (TWO_SHARDS && from_shard_b) {
    return shard_b[i];
  }
  return shard_a[i];
}

// Turns slab_read to the shard of the expert whose table entry this is; the first vec4 of its slot.
fn open_slot(entry: u32) -> u32 {
  from_shard_b = (entry >> 24u) == 1u;
  return (entry & 0xFFFFFFu) * SLOT_VEC4;
}
