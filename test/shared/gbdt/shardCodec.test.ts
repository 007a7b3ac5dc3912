import { describe, expect, it } from 'vitest';
import {
  ShardInvalidError,
  decodeShard,
  encodeShard,
  type ShardRows,
} from '../../../shared/gbdt/shardCodec.ts';

// Any fixed pseudo-random sequence does; Knuth's multiplicative one needs no state.
const mixed = (i: number): number => Math.imul(i + 1, 2_654_435_761) >>> 0;

function block(rows: number, options: { weights?: boolean; outputs?: number } = {}): ShardRows {
  return {
    firstRow: 131_072,
    rows,
    bins: [0, 1, 2].map((f) => Uint8Array.from({ length: rows }, (_, i) => mixed(i * 3 + f) >>> 24)),
    labels: Float32Array.from({ length: rows }, (_, i) => mixed(i) | 0),
    ...(options.weights ? { weights: Float32Array.from({ length: rows }, (_, i) => mixed(i + 7)) } : {}),
    ...(options.outputs
      ? { baseMargins: Int32Array.from({ length: rows * options.outputs }, (_, i) => mixed(i + 9) | 0) }
      : {}),
  };
}

describe('shardCodec', () => {
  for (const rows of [1, 63, 64, 65, 257]) {
    it(`gives back ${rows} rows as they were`, () => {
      const plain = block(rows);
      const full = block(rows, { weights: true, outputs: 3 });
      expect(decodeShard(encodeShard(plain))).toEqual(plain);
      expect(decodeShard(encodeShard(full))).toEqual(full);
    });
  }

  it('writes equal blocks as equal bytes', () => {
    expect(encodeShard(block(100, { weights: true }))).toEqual(encodeShard(block(100, { weights: true })));
  });

  it('is a header and the columns one after another, little endian', () => {
    const whole = block(65, { weights: true, outputs: 2 });
    const bytes = encodeShard(whole);
    const view = new DataView(bytes.buffer);
    expect(new TextDecoder().decode(bytes.subarray(0, 4))).toBe('TGS2');
    expect(bytes.length).toBe(32 + 65 * (4 + 4 + 8 + 3));
    expect(view.getFloat64(8, true)).toBe(131_072);
    expect(view.getFloat32(32 + 4 * 64, true)).toBe(whole.labels[64]);
    expect(view.getFloat32(32 + 4 * 65, true)).toBe(whole.weights![0]);
    expect(view.getInt32(32 + 4 * (2 * 65 + 66), true)).toBe(whole.baseMargins![66]);
    expect(bytes.subarray(-65)).toEqual(whole.bins[2]);
  });

  it('holds wide tables in time in proportion to their columns', () => {
    const wide = { ...block(64), bins: Array.from({ length: 50_000 }, (_, f) => new Uint8Array(64).fill(f)) };
    const start = performance.now();
    expect(decodeShard(encodeShard(wide)).bins[49_999]).toEqual(wide.bins[49_999]);
    expect(performance.now() - start).toBeLessThan(5000);
  });

  it('reads a shard that lies at an odd place of a larger buffer', () => {
    const bytes = encodeShard(block(65, { weights: true }));
    const larger = new Uint8Array(bytes.length + 3);
    larger.set(bytes, 3);
    expect(decodeShard(larger.subarray(3))).toEqual(block(65, { weights: true }));
  });

  it('refuses a block whose columns differ in length', () => {
    expect(() => encodeShard({ ...block(10), labels: new Float32Array(9) })).toThrow(
      'Column "label" of a shard has 9 rows; expected 10.',
    );
  });

  it('refuses a shard that is cut off at any place, empty or foreign', () => {
    const bytes = encodeShard(block(257, { weights: true, outputs: 2 }));
    for (let length = 0; length < bytes.length; length += 1) {
      expect(() => decodeShard(bytes.subarray(0, length))).toThrow(ShardInvalidError);
    }
    expect(() => decodeShard(new TextEncoder().encode('<html>not found</html>'))).toThrow(ShardInvalidError);
  });

  it('answers damaged bytes with its own error or with a block of the announced shape, never otherwise', () => {
    const bytes = encodeShard(block(65, { weights: true }));
    for (let bit = 0; bit < bytes.length * 8; bit += 5) {
      const damaged = bytes.slice();
      const at = bit >> 3;
      damaged[at] = (damaged[at] ?? 0) ^ (1 << (bit & 7));
      try {
        const decoded = decodeShard(damaged);
        for (const column of [...decoded.bins, decoded.labels]) expect(column.length).toBe(decoded.rows);
      } catch (error) {
        expect(error).toBeInstanceOf(ShardInvalidError);
      }
    }
  });
});
