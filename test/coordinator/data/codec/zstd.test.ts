import { describe, expect, it } from 'vitest';
import { unpackZstd } from '../../../../coordinator/data/codec/zstd.ts';
import { ZstdDecompressor } from '../../../../coordinator/data/codec/zstdDecompressor.ts';
import {
  concatenated,
  endlessWeights,
  frame,
  frameOf,
  raw,
  repeated,
  skippable,
} from '../support/zstdFrames.ts';

const MIB = 2 ** 20;
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

function unpackedInPieces(bytes: Uint8Array, pieceBytes: number): string {
  const decompressor = new ZstdDecompressor();
  let text = '';
  for (let start = 0; start < bytes.length; start += pieceBytes) {
    for (const piece of decompressor.push(bytes.subarray(start, start + pieceBytes))) text += textOf(piece);
  }
  decompressor.end();
  return text;
}

describe('Zstandard', () => {
  const frames = concatenated(
    frame([raw('abc'), repeated('d', 5), raw('e')]),
    skippable([1, 2, 3]),
    frameOf(3, [raw('fgh')]),
  );

  it('unpacks frames one after another, with and without their length, and skips what is to be skipped', () => {
    expect(textOf(unpackZstd(frames, 12))).toBe('abcdddddefgh');
  });

  it('gives the same for pieces of any size', () => {
    for (const size of [1, 2, 7, 1000]) expect(unpackedInPieces(frames, size)).toBe('abcdddddefgh');
  });

  it('gives no more than there is where more is claimed', () => {
    expect(textOf(unpackZstd(frames, 4000))).toBe('abcdddddefgh');
  });

  it('refuses more than is claimed', () => {
    expect(() => unpackZstd(frames, 11)).toThrow('it holds more than 11 bytes');
    expect(() => unpackZstd(frames, 0)).toThrow('it holds more than 0 bytes');
  });

  it('refuses claims that can not be, before it takes memory for them', () => {
    expect(() => unpackZstd(frames, 2 ** 31 - 1)).toThrow(
      'it claims 2147483647 bytes; no more than 1073741824',
    );
    expect(() => unpackZstd(frames, 2 ** 30)).toThrow(`${frames.length} bytes of Zstandard claim to hold`);
  });

  it('refuses frames that are cut off, noise behind them, and nothing at all', () => {
    expect(() => unpackZstd(frames.subarray(0, -1), 12)).toThrow('it is cut off');
    expect(() => unpackZstd(concatenated(frames, Uint8Array.from([1, 2, 3, 4, 5])), 12)).toThrow(
      'there is no frame where one should begin',
    );
    expect(() => unpackZstd(new Uint8Array(0), 0)).toThrow('it is cut off');
  });

  it('refuses a header whose length differs from the content', () => {
    expect(() => unpackZstd(frameOf(4, [raw('abc')]), 10)).toThrow('damaged block');
  });

  it('comes to an end where weights take no bits', () => {
    expect(() => unpackZstd(endlessWeights(), 8)).toThrow(/block/);
  });

  it('goes on with the next after a damaged one', () => {
    expect(() => unpackZstd(frames.subarray(0, -1), 12)).toThrow('it is cut off');
    expect(textOf(unpackZstd(frames, 12))).toBe('abcdddddefgh');
  });

  it('takes no memory for a window of more than 128 MiB', () => {
    const decompressor = new ZstdDecompressor();
    const before = decompressor.heldBytes;
    expect(() => [...decompressor.push(frame([repeated('a', 1)], 28))]).toThrow('more than 128 MiB');
    expect(decompressor.heldBytes).toBe(before);
    expect(textOf(unpackZstd(frame([repeated('a', 1)], 27), 1))).toBe('a');
  });

  it('unpacks no further than its reader asks for, and holds a window of it', () => {
    const blocks = Array.from({ length: 8192 }, () => repeated('a', 2 ** 17));
    const decompressor = new ZstdDecompressor();
    let bytes = 0;
    for (const piece of decompressor.push(frame(blocks))) {
      bytes += piece.length;
      if (bytes >= 4 * MIB) break;
    }
    expect(bytes).toBe(4 * MIB);
    expect(decompressor.heldBytes).toBeLessThan(18 * MIB);
  });
});
