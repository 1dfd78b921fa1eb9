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
