// Parameters of a job: numbers of eight bytes, whatever they are.

@inline
export function uint(parameters: usize, place: u32): u32 {
  return <u32>load<f64>(parameters + (<usize>place << 3));
}

@inline
export function int(parameters: usize, place: u32): i32 {
  return <i32>load<f64>(parameters + (<usize>place << 3));
}

@inline
export function float(parameters: usize, place: u32): f32 {
  return <f32>load<f64>(parameters + (<usize>place << 3));
}

/** An entry of a table of 32-bit integers. */
@inline
export function entry(table: usize, place: u32): i32 {
  return load<i32>(table + (<usize>place << 2));
}
