const WIDTH_VEC4: u32 = 16u;
const N_USED: u32 = 2u;
const HAS_SHARED: bool = true;
const HAS_SHARED_GATE: bool = true;
const GATE_STRIDE: u32 = 132u;
const GATE_COL: u32 = 128u;
// The chunk that is being prefilled, written once per chunk: T tokens at absolute positions start_position ….
// Matrix rows of tokens are read from `first_row` on (0 but for the head, which takes a chunk in pieces).
struct Chunk {
  n_tokens: u32,
  start_position: u32,
  first_row: u32,
  reserved: u32,
}
@group(0) @binding(0) var<uniform> chunk: Chunk;
// silu(g) = g / (1 + e^-g). The exponent is held below overflow: for g < -80 the result is below 1e-33 either way.
fn silu(g: vec4<f32>) -> vec4<f32> {
  return g / (1.0 + exp(min(-g, vec4<f32>(80.0))));
}

fn sigmoid(g: f32) -> f32 {
  return 1.0 / (1.0 + exp(min(-g, 80.0)));
}

// silu(gate) · up of two rows: {gate, up, gate, up}.
fn gated(pairs: vec4<f32>) -> vec2<f32> {
  return silu(vec4<f32>(pairs.xz, 0.0, 0.0)).xy * pairs.yw;
}
// out[t, :] = residual[t, :] + (Σ_rank weights[t, rank] · pairs[t, rank, :] + shared[t, :] · sigmoid(gate[t])), added in rank order.
@group(0) @binding(1) var<storage, read> pair_outputs: array<vec4<f32>>; // [T·K, D]
@group(0) @binding(2) var<storage, read> weights: array<f32>; // [T, K]
@group(0) @binding(3) var<storage, read> residual: array<vec4<f32>>; // [T, D]
@group(0) @binding(4) var<storage, read> shared_output: array<vec4<f32>>; // [T, D]
@group(0) @binding(5) var<storage, read> shared_gate: array<f32>; // element GATE_COL of rows of GATE_STRIDE, before the sigmoid
@group(0) @binding(6) var<storage, read_write> out: array<vec4<f32>>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let token = id.x / WIDTH_VEC4;
  if (token >= chunk.n_tokens) {
    return;
  }
  let d = id.x % WIDTH_VEC4;
  var sum = vec4<f32>();
  for (var pair = token * N_USED; pair < (token + 1u) * N_USED; pair++) {
    sum += weights[pair] * pair_outputs[pair * WIDTH_VEC4 + d];
  }
  if (HAS_SHARED) {
    var weight = 1.0;
    if (HAS_SHARED_GATE) {
      weight = sigmoid(shared_gate[token * GATE_STRIDE + GATE_COL]);
    }
    sum += weight * shared_output[id.x];
  }
  out[id.x] = residual[id.x] + sum;
}
