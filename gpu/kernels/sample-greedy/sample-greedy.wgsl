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
