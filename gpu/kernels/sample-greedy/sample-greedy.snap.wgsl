const WORKGROUP_SIZE: u32 = 64u;
const N_TOKENS: u32 = 1000u;
const N_GROUPS: u32 = 63u;
const RECORDS_AT: u32 = 200u;
const RECORD_WORDS: u32 = 8u;
// Words of the sequence's state buffer (gpu/README.md).
const STATE_POSITION = 0u;
const STATE_TOKEN = 1u;
const STATE_FIRST_MISS_LAYER = 2u;
const STATE_STEP = 3u;
const NO_MISS = 0xFFFFFFFFu;
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
// The most likely token, ties to the lower id; then the step is committed. One workgroup looks at the groups' maxima.
@group(0) @binding(0) var<storage, read> groups: array<vec4<u32>>; // as head-matvec leaves them
@group(0) @binding(1) var<storage, read> expert_rows: array<u32>; // routing records at RECORDS_AT
@group(0) @binding(2) var<storage, read_write> state: array<u32>;
@group(0) @binding(3) var<storage, read_write> ring: array<u32>; // one entry

var<workgroup> best_logits: array<f32, WORKGROUP_SIZE>;
var<workgroup> best_ids: array<u32, WORKGROUP_SIZE>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(local_invocation_index) local: u32) {
  var logit = -3.4028234e38;
  var id = 0xFFFFFFFFu;
  for (var i = local; i < N_GROUPS; i += WORKGROUP_SIZE) {
    let group = groups[i];
    let value = bitcast<f32>(group.x);
    if (value > logit || (value == logit && group.y < id)) {
      logit = value;
      id = group.y;
    }
  }
  best_logits[local] = logit;
  best_ids[local] = id;
  copy_record(local);
  workgroupBarrier();
  if (local == 0u) {
    for (var i = 1u; i < WORKGROUP_SIZE; i++) {
      if (best_logits[i] > logit || (best_logits[i] == logit && best_ids[i] < id)) {
        logit = best_logits[i];
        id = best_ids[i];
      }
    }
    commit_token(min(id, N_TOKENS - 1u)); // logits that are no numbers choose somebody too
  }
}
