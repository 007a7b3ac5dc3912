import { describe, expect, it } from 'vitest';
import { unpackHadoopLz4, unpackLz4Block, unpackLz4Frames } from '../../../../coordinator/data/codec/lz4.ts';

const ascii = (text: string): number[] => [...new TextEncoder().encode(text)];
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** "abc", then ten bytes from three before (so they overlap), then "end!!" as literals: by the block format's description. */
const block = Uint8Array.from([0x36, ...ascii('abc'), 3, 0, 0x50, ...ascii('end!!')]);
const content = 'abcabcabcabcaend!!';

describe('LZ4', () => {
  it('unpacks literals and matches that overlap', () => {
    const out = new Uint8Array(content.length);
    expect(unpackLz4Block(block, out, 0)).toBe(content.length);
    expect(textOf(out)).toBe(content);
  });

  it('unpacks blocks behind their lengths, and bare ones', () => {
    const hadoop = Uint8Array.from([0, 0, 0, content.length, 0, 0, 0, block.length, ...block]);
    expect(textOf(unpackHadoopLz4(Uint8Array.from([...hadoop, ...hadoop]), 2 * content.length))).toBe(
      content + content,
    );
    expect(textOf(unpackHadoopLz4(block, content.length))).toBe(content);
  });

  it('unpacks frames of packed and of stored blocks', () => {
    const frame = [
      0x04,
      0x22,
      0x4d,
      0x18,
      0x60,
      0x40,
      0x82,
      block.length,
      0,
      0,
      0,
      ...block,
      3,
      0,
      0,
      0x80,
      ...ascii('xyz'),
      0,
      0,
      0,
      0,
    ];
    expect(textOf(unpackLz4Frames(Uint8Array.from(frame), 100))).toBe(`${content}xyz`);
  });

  it('refuses what is cut off, leads outside or is longer than was said', () => {
    for (let length = 1; length < block.length; length++) {
      const out = new Uint8Array(content.length);
      const cut = block.subarray(0, length);
      let end = 0;
      try {
        end = unpackLz4Block(cut, out, 0);
      } catch {
        continue;
      }
      expect(end).toBeLessThan(content.length);
    }
    expect(() => unpackLz4Block(Uint8Array.from([0x10, 97, 2, 0, 0]), new Uint8Array(20), 0)).toThrow(
      /outside/,
    );
    expect(() => unpackLz4Block(block, new Uint8Array(content.length - 1), 0)).toThrow();
  });
});
