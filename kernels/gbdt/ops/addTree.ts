// Adds a finished tree to the margins of one output: one thread a row, walking from the root, or from where the row
// stands when the tree is the one that was just grown.

import type { Op } from '../../gpu/op.ts';
import { addToMargin, addToWideMargin, highLimb } from '../fixedPoint.ts';
import { LIMB_BITS } from '../treeDevice.ts';
import { addToMarginWgsl, addToWideMarginWgsl } from './fixedPointWgsl.ts';
import { WORDS_PER_NODE, nodeTableWgsl } from './nodeTable.ts';

const ADD = `
  margins[at] = addToMargin(margins[at], nodes[node].value);`;
/** A leaf has no slots: the low limb of its value is where their mask begins. */
const ADD_WIDE = `
  let low = block.rows + row;
  let value = vec2<i32>(nodes[node].value, i32(nodes[node].goesLeft[0]));
  let sum = addToWideMargin(vec2<i32>(margins[at], margins[low]), value);
  margins[at] = sum.x;
  margins[low] = sum.y;`;

function addTreeOp(isWide: boolean): Op {
  return {
    name: isWide ? 'addTreeWide' : 'addTree',
    storage: [
      { name: 'positions', type: 'array<u32>', access: 'read' }, // [row] node; read only when standing
      { name: 'bins', type: 'array<u32>', access: 'read' }, // [word][row]
      { name: 'nodes', type: 'array<Node>', access: 'read' },
      { name: 'margins', type: 'array<i32>', access: 'read_write' }, // [output][row]; wide: high limbs, then low ones
    ],
    uniforms: [
      { name: 'block', fields: { rows: 'u32' } },
      { name: 'call', fields: { output: 'u32', standing: 'u32' } },
    ],
    workgroupSize: 64,
    declarations: `${nodeTableWgsl}${isWide ? addToWideMarginWgsl : addToMarginWgsl}`,
    body: `
  let row = flat;
  if (row >= block.rows) { return; }
  var node = 0u;
  if (call.standing != 0u) { node = positions[row]; }
  // Children follow their parents, so the walk ends.
  while (nodes[node].left != 0xffffffffu) {
    let feature = nodes[node].feature;
    let slot = (bins[(feature >> 2u) * block.rows + row] >> (8u * (feature & 3u))) & 255u;
    let left = slotGoesLeft(nodes[node].goesLeft[slot >> 5u], slot);
    node = select(nodes[node].right, nodes[node].left, left);
  }
  let at = call.output * block.rows + row;${isWide ? ADD_WIDE : ADD}`,
    reference: ({ storage, uniforms }) => {
      const { positions, bins, nodes, margins } = storage;
      const rows = uniforms['block']?.['rows'] ?? 0;
      const { output = 0, standing = 0 } = uniforms['call'] ?? {};
      if (!positions || !bins || !nodes || !margins) throw new RangeError('Inputs are missing.');
      for (let row = 0; row < rows; row += 1) {
        let at = (standing === 0 ? 0 : (positions[row] ?? 0)) * WORDS_PER_NODE;
        while (((nodes[at + 1] ?? -1) | 0) !== -1) {
          const feature = nodes[at] ?? 0;
          const slot = ((bins[(feature >> 2) * rows + row] ?? 0) >>> (8 * (feature & 3))) & 255;
          const left = (((nodes[at + 4 + (slot >> 5)] ?? 0) >>> (slot & 31)) & 1) === 1;
          at = (nodes[at + (left ? 1 : 2)] ?? 0) * WORDS_PER_NODE;
        }
        const cell = output * rows + row;
        const [value, lowValue] = [nodes[at + 3] ?? 0, nodes[at + 4] ?? 0];
        if (!isWide) {
          margins[cell] = addToMargin(margins[cell] ?? 0, value);
          continue;
        }
        const margin = (margins[cell] ?? 0) * 2 ** LIMB_BITS + (margins[rows + row] ?? 0);
        const sum = addToWideMargin(margin, value * 2 ** LIMB_BITS + lowValue);
        margins[cell] = highLimb(sum);
        margins[rows + row] = sum - highLimb(sum) * 2 ** LIMB_BITS;
      }
    },
  };
}

export const addTree = addTreeOp(false);
/** For margins of two limbs. */
export const addTreeWide = addTreeOp(true);
