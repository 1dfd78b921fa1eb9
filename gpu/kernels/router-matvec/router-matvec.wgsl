// Of x = norm(h_mid): router logits R·x [E], and where the layer has a shared expert its hidden row silu(G·x) · (U·x) [Fs] and the
// logit of its output gate. routed = logits [E] | gate logit | hidden [Fs], hidden at SHARED_AT.
@group(0) @binding(0) var<storage, read> weights: array<vec4<u32>>; // planes of the router [E, D]
@group(0) @binding(1) var<storage, read> shared_weights: array<vec4<u32>>; // planes of gate, up [Fs, D] and output gate [1, D]
@group(0) @binding(2) var<storage, read> vectors: array<vec4<f32>>; // norm [D] at NORM (elements)
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
  const ROWS = N_EXPERTS + SHARED_ROWS + select(0u, 1u, HAS_OUTPUT_GATE);
  for (var i = lanes.worker; i < ROWS; i += lanes.n_workers) {
    var result: f32;
    var place = i;
    if (i < N_EXPERTS) {
      from_shared = false;
      result = normed_dot(lanes, ROUTER_KIND, 0u, N_EXPERTS, i);
    } else if (i < N_EXPERTS + SHARED_ROWS) {
      from_shared = true;
      let row = i - N_EXPERTS;
      let pair = normed_dot_pair(lanes, vec2<u32>(GATE_KIND, UP_KIND), vec2<u32>(GATE_BASE, UP_BASE), SHARED_ROWS, row);
      result = silu(vec4<f32>(pair.x)).x * pair.y;
      place = SHARED_AT + row;
    } else {
      from_shared = true;
      result = normed_dot(lanes, OUTPUT_GATE_KIND, OUTPUT_GATE_BASE, 1u, 0u);
      place = N_EXPERTS;
    }
    if (lanes.lane == 0u) {
      routed[place] = result;
    }
  }
}
