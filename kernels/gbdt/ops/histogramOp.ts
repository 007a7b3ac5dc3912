// What the histogram ops share. Sums are 64-bit integers in two u32 limbs, low first; the carry out of the low limb
// comes from what atomicAdd returns, so sums are exact whatever the order of the additions.

import type { OpInputs, StorageBinding, UniformBinding } from '../../gpu/op.ts';

/** Words of one slot: g low, g high, h low, h high. */
export const WORDS_PER_SLOT = 4;
/** Entry of nodeIndex for nodes that are not asked for. */
export const NO_NODE = 0xffffffff;

export const histogramStorage: readonly StorageBinding[] = [
  { name: 'positions', type: 'array<u32>', access: 'read' }, // [row] node
  { name: 'gradients', type: 'array<vec2<i32>>', access: 'read' }, // [row] (g, h)
  { name: 'bins', type: 'array<u32>', access: 'read' }, // [word][row]: slots of features 4·word.., lowest byte first
  { name: 'nodeIndex', type: 'array<u32>', access: 'read' }, // [node] place in the result, or NO_NODE
  { name: 'firstSlot', type: 'array<u32>', access: 'read' }, // [feature], and after the last the total
  { name: 'histogram', type: 'array<atomic<u32>>', access: 'read_write' }, // [node][slot][WORDS_PER_SLOT]
];

export const blockUniform: UniformBinding = { name: 'block', fields: { rows: 'u32' } };
export const shapeUniform: UniformBinding = { name: 'shape', fields: { features: 'u32', slots: 'u32' } };

/** `NAME(cell, value)` adds a signed 32-bit value to the two limbs at `target[cell]`. */
export function addSignedWgsl(name: string, target: string): string {
  return `
fn ${name}(cell: u32, value: i32) {
  let low = bitcast<u32>(value);
  let before = atomicAdd(&${target}[cell], low);
  let carry = select(0u, 1u, before + low < low);
  let high = select(0u, 0xffffffffu, value < 0) + carry;
  if (high != 0u) { atomicAdd(&${target}[cell + 1u], high); }
}`;
}

/** Both histogram ops compute this. */
export function histogramReference({ storage, uniforms }: OpInputs): void {
  const { positions, gradients, bins, nodeIndex, firstSlot, histogram } = storage;
  const rows = uniforms['block']?.['rows'] ?? 0;
  const { features = 0, slots = 0 } = uniforms['shape'] ?? {};
  if (!positions || !gradients || !bins || !nodeIndex || !firstSlot || !histogram) {
    throw new RangeError('Inputs are missing.');
  }
  const add = (cell: number, value: number): void => {
    const low = BigInt(histogram[cell] ?? 0) & 0xffffffffn;
    const sum = (BigInt(histogram[cell + 1] ?? 0) << 32n) + low + BigInt(value);
    histogram[cell] = Number(BigInt.asUintN(32, sum));
    histogram[cell + 1] = Number(BigInt.asUintN(32, sum >> 32n));
  };
  for (let row = 0; row < rows; row += 1) {
    const place = nodeIndex[positions[row] ?? 0] ?? NO_NODE;
    if (place === NO_NODE) continue;
    for (let feature = 0; feature < features; feature += 1) {
      const slot = ((bins[(feature >> 2) * rows + row] ?? 0) >>> (8 * (feature & 3))) & 255;
      const cell = WORDS_PER_SLOT * (place * slots + (firstSlot[feature] ?? 0) + slot);
      add(cell, gradients[2 * row] ?? 0);
      add(cell + 2, gradients[2 * row + 1] ?? 0);
    }
  }
}
