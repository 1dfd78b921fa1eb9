// Of x = norm(h_mid): router logits R·x (+ bias) [E], and where the layer has a shared expert its hidden row silu(G·x) · (U·x) [Fs] and the
// logit of its output gate. Of a sigmoid router also what each expert stands at in the choice, sigmoid(logit) + bias (DeepSeek-V3,
// arXiv 2412.19437, eq. 16). routed = logits [E] | gate logit | hidden [Fs] at SHARED_AT | scores [E] at SCORES_AT.
@group(0) @binding(0) var<storage, read> weights: array<vec4<u32>>; // planes of the router [E, D]
@group(0) @binding(1) var<storage, read> shared_weights: array<vec4<u32>>; // planes of gate, up [Fs, D] and output gate [1, D]
@group(0) @binding(2) var<storage, read> vectors: array<vec4<f32>>; // norm [D] at NORM, biases [E] of logits and scores at LOGIT_BIAS and BIAS (elements)
@group(0) @binding(3) var<storage, read> h_mid: array<vec4<f32>>; // [D]
@group(0) @binding(4) var<storage, read_write> routed: array<f32>;

var<private> from_shared: bool;

fn w_read(i: u32) -> vec4<u32> {
  if (SHARED_ROWS > 0u && from_shared) {
    return shared_weights[i];
  }
  return weights[i];
}

fn x_read(i: u32) -> vec4<f32> {
  return h_mid[i];
}

fn g_read(i: u32) -> vec4<f32> {
  return vectors[NORM / 4u + i];
}

fn run(lanes: Lanes, group_y: u32) {
  const ROUTER_BLOCKS = (N_EXPERTS + 3u) / 4u;
  const SHARED_BLOCKS = (SHARED_ROWS + 1u) / 2u;
  const BLOCKS = ROUTER_BLOCKS + SHARED_BLOCKS + select(0u, 1u, HAS_OUTPUT_GATE);
  for (var block = lanes.worker; block < BLOCKS; block += lanes.n_workers) {
    var results: vec4<f32>;
    var place: u32;
    var n: u32;
    if (block < ROUTER_BLOCKS) {
      from_shared = false;
      place = 4u * block;
      n = min(4u, N_EXPERTS - place);
      results = normed_dots(lanes, ROUTER_KIND, 0u, N_EXPERTS, place);
      if (HAS_LOGIT_BIAS) {
        results += vectors[(LOGIT_BIAS + place) / 4u];
      }
    } else if (block < ROUTER_BLOCKS + SHARED_BLOCKS) {
      from_shared = true;
      let row = 2u * (block - ROUTER_BLOCKS);
      place = SHARED_AT + row;
      n = min(2u, SHARED_ROWS - row);
      let kinds = vec2<u32>(GATE_KIND, UP_KIND);
      results = vec4<f32>(gated(normed_dot_pairs(lanes, kinds, vec2<u32>(GATE_BASE, UP_BASE), SHARED_ROWS, row)), 0.0, 0.0);
    } else {
      from_shared = true;
      place = N_EXPERTS;
      n = 1u;
      results = normed_dots(lanes, OUTPUT_GATE_KIND, OUTPUT_GATE_BASE, 1u, 0u);
    }
    if (lanes.lane == 0u) {
      for (var i = 0u; i < n; i++) {
        routed[place + i] = results[i];
      }
      if (HAS_SCORES && block < ROUTER_BLOCKS) {
        for (var i = 0u; i < n; i++) {
          routed[SCORES_AT + place + i] = sigmoid(results[i]) + select(0.0, vectors[(BIAS + place) / 4u][i], HAS_BIAS);
        }
      }
    }
  }
}
