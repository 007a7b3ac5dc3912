// Histogram straight into global memory: one thread a row. Best on software adapters, where workgroup memory is plain
// memory and barriers are expensive.

import type { Op } from '../../gpu/op.ts';
import {
  WORDS_PER_SLOT,
  addSignedWgsl,
  blockUniform,
  histogramReference,
  histogramStorage,
  shapeUniform,
} from './histogramOp.ts';

/** The four features of a word written out: a loop over them costs SwiftShader a third of the time. */
function addFeature(lane: number): string {
  return `
    if (feature + ${lane}u < shape.features) {
      let cell = ${WORDS_PER_SLOT}u * (start + firstSlot[feature + ${lane}u] + ((packed >> ${8 * lane}u) & 255u));
      addToHistogram(cell, pair.x);
      addToHistogram(cell + 2u, pair.y);
    }`;
}

export const histogramGlobal: Op = {
  name: 'histogramGlobal',
  storage: histogramStorage,
  uniforms: [blockUniform, shapeUniform],
  workgroupSize: 64,
  declarations: addSignedWgsl('addToHistogram', 'histogram'),
  body: `
  let row = flat;
  if (row >= block.rows) { return; }
  let node = positions[row];
  if (node >= arrayLength(&nodeIndex)) { return; }
  let place = nodeIndex[node];
  if (place == 0xffffffffu) { return; }
  let pair = gradients[row];
  if (pair.x == 0 && pair.y == 0) { return; }
  let start = place * shape.slots;
  for (var feature = 0u; feature < shape.features; feature += 4u) {
    let packed = bins[(feature >> 2u) * block.rows + row];
    ${[0, 1, 2, 3].map(addFeature).join('')}
  }`,
  reference: histogramReference,
};
