// How ops that need a whole row at once (softmax, layer norm, losses) are cut into workgroups: one a row, whose lanes
// walk over it together and add up in a fixed order.

export const ROW_LANES = 64;
/** Lanes that add up first: two rounds of short sums cost less than a tree with a barrier a level. */
const ROW_PARTS = 8;

/** `rowSum(lane, value)` and `rowMax(lane, value)`, for every lane. All lanes must call them. NaN wins a maximum. */
export const rowTreeWgsl = `
var<workgroup> lanes: array<f32, ${ROW_LANES}>;
fn rowSum(lane: u32, value: f32) -> f32 {
  lanes[lane] = value;
  // All lanes have written.
  workgroupBarrier();
  if (lane < ${ROW_PARTS}u) {
    var part = 0.0f;
    for (var k = lane; k < ${ROW_LANES}u; k += ${ROW_PARTS}u) { part += lanes[k]; }
    lanes[lane] = part;
  }
  // The parts are there.
  workgroupBarrier();
  var sum = 0.0f;
  for (var k = 0u; k < ${ROW_PARTS}u; k++) { sum += lanes[k]; }
  // Everybody has read before the next sum begins.
  workgroupBarrier();
  return sum;
}
fn larger(a: f32, b: f32) -> f32 { return select(a, b, b > a || (bitcast<u32>(b) & 0x7fffffffu) > 0x7f800000u); }
fn rowMax(lane: u32, value: f32) -> f32 {
  lanes[lane] = value;
  workgroupBarrier();
  if (lane < ${ROW_PARTS}u) {
    var most = value;
    for (var k = lane; k < ${ROW_LANES}u; k += ${ROW_PARTS}u) { most = larger(most, lanes[k]); }
    lanes[lane] = most;
  }
  workgroupBarrier();
  var most = lanes[0];
  for (var k = 1u; k < ${ROW_PARTS}u; k++) { most = larger(most, lanes[k]); }
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
