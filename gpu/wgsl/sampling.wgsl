// How the next token is chosen; written once per request.
struct Sampling {
  inv_temperature: f32, // 1 when greedy
  top_k: u32, // 1 … 256
  top_p: f32,
  min_p: f32,
  seed: u32,
}
