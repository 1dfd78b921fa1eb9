// The greatest logit and Σ exp(logit − greatest) before any key: of nothing.
fn before_keys(head: u32) -> vec2<f32> {
  return vec2<f32>(-3.4028234e38, 0.0);
}
