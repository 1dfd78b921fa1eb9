// The end of a step: the ring entry for the host, and the state of the next step. A flagged miss leaves the state as it is: the host puts the
// expert in place and runs the step again from that layer. Ring entry: id, position of that id, miss layer, 0, then the routing record.
fn commit_token(id: u32) {
  let miss = state[STATE_FIRST_MISS_LAYER];
  let position = state[STATE_POSITION] + 1u;
  ring[0] = select(NO_TOKEN, id, miss == NO_MISS);
  ring[1] = position;
  ring[2] = miss;
  ring[3] = 0u;
  if (miss == NO_MISS) {
    state[STATE_TOKEN] = id;
    state[STATE_POSITION] = position;
    state[STATE_STEP] += 1u;
  }
}
const NO_TOKEN = 0xFFFFFFFFu;

// Two expert ids a word, the earlier in the low half.
fn copy_record(local: u32) {
  for (var i = local; i < (RECORD_WORDS + 1u) / 2u; i += WORKGROUP_SIZE) {
    let low = expert_rows[RECORDS_AT + 2u * i];
    var high = 0u;
    if (2u * i + 1u < RECORD_WORDS) {
      high = expert_rows[RECORDS_AT + 2u * i + 1u];
    }
    ring[4u + i] = low | (high << 16u);
  }
}
