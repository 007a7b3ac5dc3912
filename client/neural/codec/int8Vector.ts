// One signed byte a value and one f32 scale a block (Dettmers et al. 2022): a quarter of the bytes.

import type { VectorCodec } from './vectorCodec.ts';

const BLOCK = 256;
const MOST = 127;

const bytesOf = (length: number): number => 4 * Math.ceil(length / BLOCK) + length;

export const int8Vector: VectorCodec = {
  mostBytes: bytesOf,
  encode(values) {
    const blocks = Math.ceil(values.length / BLOCK);
    const bytes = new Uint8Array(4 * blocks + values.length);
    const scales = new Float32Array(bytes.buffer, 0, blocks);
    const codes = new Int8Array(bytes.buffer, 4 * blocks);
    for (let block = 0; block < blocks; block++) {
      const start = block * BLOCK;
      const end = Math.min(values.length, start + BLOCK);
      let most = 0;
      for (let i = start; i < end; i++) {
        const size = Math.abs(values[i]!);
        // Once it is NaN it stays so.
        if (size > most || Number.isNaN(size)) most = size;
      }
      // NaN and infinities pass as a scale that is not finite: the loss says what is wrong.
      const scale = Math.fround(most / MOST);
      scales[block] = scale;
      if (scale === 0) continue;
      for (let i = start; i < end; i++) codes[i] = Math.round(values[i]! / scale);
    }
    return bytes;
  },
  decode(bytes, length) {
    const blocks = Math.ceil(length / BLOCK);
    if (bytes.length !== bytesOf(length)) {
      throw new RangeError(
        `${bytes.length} bytes are no ${length} values in int8; expected ${bytesOf(length)}`,
      );
    }
    const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
    const scales = new Float32Array(aligned.buffer, aligned.byteOffset, blocks);
    const codes = new Int8Array(aligned.buffer, aligned.byteOffset + 4 * blocks, length);
    const values = new Float32Array(length);
    for (let block = 0; block < blocks; block++) {
      const end = Math.min(length, (block + 1) * BLOCK);
      for (let i = block * BLOCK; i < end; i++) values[i] = codes[i]! * scales[block]!;
    }
    return values;
  },
};
