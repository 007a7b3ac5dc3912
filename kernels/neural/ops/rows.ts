// How ops that need a whole row at once (softmax, layer norm, losses) are cut into workgroups: one a row, whose lanes
// walk over it together and add up by a tree in a fixed order.

export const ROW_LANES = 64;

/** `rowSum(lane, value)` and `rowMax(lane, value)`, for every lane. All lanes must call them. NaN wins a maximum. */
export const rowTreeWgsl = `
var<workgroup> tree: array<f32, ${ROW_LANES}>;
fn rowSum(lane: u32, value: f32) -> f32 {
  tree[lane] = value;
  for (var stride = ${ROW_LANES / 2}u; stride > 0u; stride = stride / 2u) {
    // All lanes of the last round have written.
    workgroupBarrier();
    if (lane < stride) { tree[lane] += tree[lane + stride]; }
  }
  workgroupBarrier();
  let sum = tree[0];
  // Everybody has read before the next tree grows.
  workgroupBarrier();
  return sum;
}
fn larger(a: f32, b: f32) -> f32 { return select(a, b, b > a || (bitcast<u32>(b) & 0x7fffffffu) > 0x7f800000u); }
fn rowMax(lane: u32, value: f32) -> f32 {
  tree[lane] = value;
  for (var stride = ${ROW_LANES / 2}u; stride > 0u; stride = stride / 2u) {
    workgroupBarrier();
    if (lane < stride) { tree[lane] = larger(tree[lane], tree[lane + stride]); }
  }
  workgroupBarrier();
  let most = tree[0];
  workgroupBarrier();
  return most;
}`;

/** `row` of this workgroup and whether there is one: the grid is folded into two dimensions. */
export function rowWgsl(rowsPerExample: number): string {
  return `
  let row = group.y * groups.x + group.x;
  let inside = row < batch.examples * ${rowsPerExample}u;`;
}

/** Workgroups for this many rows. */
export function rowGroups(rows: number): [number, number] {
  const height = Math.max(1, Math.ceil(rows / 65_535));
  return [Math.ceil(rows / height), height];
}
