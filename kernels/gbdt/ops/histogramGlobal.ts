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
    var packed = bins[(feature >> 2u) * block.rows + row];
    let end = min(feature + 4u, shape.features);
    for (var f = feature; f < end; f++) {
      let cell = ${WORDS_PER_SLOT}u * (start + firstSlot[f] + (packed & 255u));
      addToHistogram(cell, pair.x);
      addToHistogram(cell + 2u, pair.y);
      packed = packed >> 8u;
    }
  }`,
  reference: histogramReference,
};
