const WORKGROUP_SIZE: u32 = 64u;
const N_HEADS: u32 = 4u;
const HEAD_WIDTH: u32 = 64u;
const SPLIT_TOKENS: u32 = 256u;
const PARTIALS_AT: u32 = 256u;
const SUMS_AT: u32 = 1024u;
// Words of the sequence's state buffer (gpu/README.md).
const STATE_POSITION = 0u;
const STATE_TOKEN = 1u;
const STATE_FIRST_MISS_LAYER = 2u;
const STATE_STEP = 3u;
const NO_MISS = 0xFFFFFFFFu;
// output[h] = Σ over splits of e^(max − greatest) · weighted / Σ e^(max − greatest) · sum, splits in the order of their positions.
// Grid: one invocation per pair of output elements. Runs only where at least two splits live.
@group(0) @binding(0) var<storage, read> state: array<u32>;
@group(0) @binding(1) var<storage, read_write> attention: array<vec2<f32>>; // as attention-decode leaves it

const WORDS = HEAD_WIDTH / 2u;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= N_HEADS * WORDS) {
    return;
  }
  let head = id.x / WORDS;
  let n_splits = state[STATE_POSITION] / SPLIT_TOKENS + 1u;
  var greatest = attention[SUMS_AT / 2u + head].x;
  for (var split = 1u; split < n_splits; split++) {
    greatest = max(greatest, attention[SUMS_AT / 2u + split * N_HEADS + head].x);
  }
  var total = 0.0;
  var sum = vec2<f32>();
  for (var split = 0u; split < n_splits; split++) {
    let part = attention[SUMS_AT / 2u + split * N_HEADS + head];
    let factor = exp(part.x - greatest);
    total += factor * part.y;
    sum += factor * attention[PARTIALS_AT / 2u + split * N_HEADS * WORDS + id.x];
  }
  attention[id.x] = sum / total;
}
