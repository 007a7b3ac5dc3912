// Moves rows from split nodes to their children: one thread a row.

import type { Op } from '../../gpu/op.ts';
import { NO_NODE } from './histogramOp.ts';
import { WORDS_PER_NODE, nodeTableWgsl } from './nodeTable.ts';

export const partition: Op = {
  name: 'partition',
  storage: [
    { name: 'positions', type: 'array<u32>', access: 'read_write' }, // [row] node
    { name: 'bins', type: 'array<u32>', access: 'read' }, // [word][row]
    { name: 'splitIndex', type: 'array<u32>', access: 'read' }, // [node] place in splits, or NO_NODE
    { name: 'splits', type: 'array<Node>', access: 'read' },
  ],
  uniforms: [{ name: 'block', fields: { rows: 'u32' } }],
  workgroupSize: 64,
  declarations: nodeTableWgsl,
  body: `
  let row = flat;
  if (row >= block.rows) { return; }
  let node = positions[row];
  if (node >= arrayLength(&splitIndex)) { return; }
  let place = splitIndex[node];
  if (place == 0xffffffffu) { return; }
  let feature = splits[place].feature;
  let slot = (bins[(feature >> 2u) * block.rows + row] >> (8u * (feature & 3u))) & 255u;
  let left = slotGoesLeft(splits[place].goesLeft[slot >> 5u], slot);
  positions[row] = select(splits[place].right, splits[place].left, left);`,
  reference: ({ storage, uniforms }) => {
    const { positions, bins, splitIndex, splits } = storage;
    const rows = uniforms['block']?.['rows'] ?? 0;
    if (!positions || !bins || !splitIndex || !splits) throw new RangeError('Inputs are missing.');
    for (let row = 0; row < rows; row += 1) {
      const place = splitIndex[positions[row] ?? 0] ?? NO_NODE;
      if (place === NO_NODE) continue;
      const at = place * WORDS_PER_NODE;
      const feature = splits[at] ?? 0;
      const slot = ((bins[(feature >> 2) * rows + row] ?? 0) >>> (8 * (feature & 3))) & 255;
      const left = (((splits[at + 4 + (slot >> 5)] ?? 0) >>> (slot & 31)) & 1) === 1;
      positions[row] = splits[at + (left ? 1 : 2)] ?? 0;
    }
  },
};
