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
