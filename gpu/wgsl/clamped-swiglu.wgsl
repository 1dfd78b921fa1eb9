// The activation of gpt-oss in the place of silu.wgsl: g · sigmoid(1.702 · g) · (u + 1), the gate at most 7 and |u| at most 7 (ggml's swiglu_oai).
fn sigmoid(g: f32) -> f32 {
  return 1.0 / (1.0 + exp(min(-g, 80.0)));
}

// Of two rows: {gate, up, gate, up}.
fn gated(pairs: vec4<f32>) -> vec2<f32> {
  let gate = min(pairs.xz, vec2<f32>(7.0));
  let up = clamp(pairs.yw, vec2<f32>(-7.0), vec2<f32>(7.0));
  return gate / (1.0 + exp(min(-1.702 * gate, vec2<f32>(80.0)))) * (up + 1.0);
}
