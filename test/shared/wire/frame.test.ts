import { describe, expect, it } from 'vitest';
import { checksum32 } from '../../../shared/wire/checksum.ts';
import {
  decodeFrame,
  elementTypes,
  encodeFrame,
  FRAME_HEADER_BYTES,
  frameKinds,
  MAX_FRAME_BYTES,
  type FrameHeader,
} from '../../../shared/wire/frame.ts';

const header: FrameHeader = {
  kind: 'data',
  elementType: 'f32',
  generation: 4_000_000_001,
  sequence: 4_000_000_002,
  stream: 1,
  part: 65_535,
  offset: 4_000_000_000,
  totalBytes: 4_294_967_295,
};
const payload = Uint8Array.from({ length: 257 }, (_, at) => at & 255);

/** Writes one byte and makes the checksum right again, as a peer with bad intentions would. */
function tampered(at: number, value: number): Uint8Array {
  const message = encodeFrame(header, payload);
  message[at] = value;
  const sum = checksum32(message.subarray(FRAME_HEADER_BYTES), checksum32(message.subarray(0, 28)));
  new DataView(message.buffer).setUint32(28, sum, true);
  return message;
}

function codeOf(message: Uint8Array): unknown {
  try {
    decodeFrame(message, 'worker-9');
  } catch (error) {
    expect((error as Error).message).toContain('worker-9');
    expect((error as { place: unknown }).place).toEqual({ peer: 'worker-9' });
    return (error as { code: unknown }).code;
  }
  return undefined;
}

describe('frames', () => {
  it('come back as they were sent, at the extremes of every field', () => {
    for (const kind of frameKinds) {
      for (const elementType of elementTypes) {
        for (const length of [0, 1, 63, 64, 65, 257, MAX_FRAME_BYTES - FRAME_HEADER_BYTES]) {
          const sent = { ...header, kind, elementType };
          const bytes = new Uint8Array(length).fill(7);
          const { payload: received, ...read } = decodeFrame(encodeFrame(sent, bytes), 'w');
          expect(read).toEqual(sent);
          expect(Buffer.compare(received, bytes)).toBe(0);
        }
      }
    }
  });

  it('have the layout that the header comment states', () => {
    const message = encodeFrame({ ...header, generation: 0x01020304 }, Uint8Array.of(9));
    expect([...message.subarray(0, 8)]).toEqual([0x54, 1, 0, 2, 4, 3, 2, 1]);
    expect(message.length).toBe(33);
    expect(message[32]).toBe(9);
  });

  it('decode from a buffer at any offset', () => {
    const message = encodeFrame(header, payload);
    for (let shift = 0; shift < 9; shift += 1) {
      const pool = new Uint8Array(message.length + shift);
      pool.set(message, shift);
      expect(decodeFrame(pool.subarray(shift), 'w').payload).toEqual(payload);
    }
  });

  it('are refused when any single bit changed', () => {
    const message = encodeFrame(header, payload);
    for (let bit = 0; bit < message.length * 8; bit += 1) {
      const damaged = message.slice();
      damaged[bit >> 3] = (damaged[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(codeOf(damaged)).toMatch(/^FRAME_(CORRUPT|INVALID|VERSION)$/);
    }
  });

  it('are refused when cut short or too long, at every length', () => {
    const message = encodeFrame(header, payload);
    for (let length = 0; length < message.length; length += 1) {
      expect(codeOf(message.subarray(0, length))).toBe('FRAME_INVALID');
    }
    expect(codeOf(new Uint8Array(MAX_FRAME_BYTES + 1))).toBe('FRAME_INVALID');
    expect(codeOf(new Uint8Array([...message, 0]))).toBe('FRAME_INVALID');
  });

  it('of another version are refused by name of the versions', () => {
    expect(codeOf(tampered(1, 2))).toBe('FRAME_VERSION');
    expect(() => decodeFrame(tampered(1, 2), 'w')).toThrow(/version 2.*speaks 1/);
  });

  it('with unknown kinds or element types, or an offset beyond the stream, are refused', () => {
    expect(codeOf(tampered(2, 2))).toBe('FRAME_INVALID');
    expect(codeOf(tampered(3, 5))).toBe('FRAME_INVALID');
    expect(codeOf(tampered(3, 0x12))).toBe('FRAME_INVALID');
    expect(codeOf(tampered(27, 0))).toBe('FRAME_INVALID');
  });
});
