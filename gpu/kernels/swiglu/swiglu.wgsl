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
