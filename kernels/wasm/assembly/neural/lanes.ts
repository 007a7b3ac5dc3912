// Four floats, or one where there are not four: `Lanes` is v128 or f32.

@inline
export function value<Lanes>(at: usize): v128 {
  return sizeof<Lanes>() === 4 ? v128.load32_zero(at) : v128.load(at);
}

@inline
export function put<Lanes>(at: usize, floats: v128): void {
  if (sizeof<Lanes>() === 4) v128.store_lane<f32>(at, floats, 0);
  else v128.store(at, floats);
}
