const WIDTH_VEC4: u32 = 16u;
const STRIDE_VEC4: u32 = 33u;
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
// out[t, i] = silu(gate[t, i]) · up[t, i]; gate and up lie side by side in rows of STRIDE_VEC4.
@group(0) @binding(1) var<storage, read> gate_up: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> out: array<vec4<f32>>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let token = id.x / WIDTH_VEC4;
  if (token >= chunk.n_tokens) {
    return;
  }
  let at = token * STRIDE_VEC4 + id.x % WIDTH_VEC4;
  out[id.x] = silu(gate_up[at]) * gate_up[at + WIDTH_VEC4];
}
