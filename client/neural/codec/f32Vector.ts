// Floats as they are.

import { bytesUnder } from '../../../kernels/bytesUnder.ts';
import type { VectorCodec } from './vectorCodec.ts';

export const f32Vector: VectorCodec = {
  mostBytes: (length) => 4 * length,
  encode: (values) => bytesUnder(values).slice(),
  decode(bytes, length) {
    if (bytes.byteLength !== 4 * length)
      throw new RangeError(`${bytes.byteLength} bytes are no ${length} numbers; expected ${4 * length}`);
    return new Float32Array(bytes.slice().buffer);
  },
};
