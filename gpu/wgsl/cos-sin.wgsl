// (cos, sin) of an angle of any size. The built-in functions are only promised to 2^-11 and only in [-π, π], so the angle is reduced
// by multiples of π/2 in three exact parts (Cody and Waite 1980) and two minimax polynomials take the rest (those of Cephes' sinf, cosf).
fn cos_sin(angle: f32) -> vec2<f32> {
  let k = round(angle * 0.63661977);
  let r = ((angle - k * 1.5703125) - k * 4.8375130e-4) - k * 7.5497900e-8;
  let z = r * r;
  let s = ((-1.9515296e-4 * z + 8.3321609e-3) * z - 0.16666655) * z * r + r;
  let c = ((2.4433157e-5 * z - 1.3887316e-3) * z + 4.1666646e-2) * z * z - 0.5 * z + 1.0;
  let quadrant = i32(k) & 3;
  let swapped = (quadrant & 1) == 1;
  let cosine = select(c, s, swapped);
  let sine = select(s, c, swapped);
  return vec2<f32>(
    select(cosine, -cosine, quadrant == 1 || quadrant == 2),
    select(sine, -sine, quadrant >= 2),
  );
}
