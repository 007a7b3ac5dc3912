// LZ4: bare blocks, Hadoop's blocks behind their lengths, and frames.
// https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md and lz4_Frame_format.md

const MIN_MATCH = 4;

/**
 * Unpacks one block into out[at, …).
 * @returns where it ends. @throws Error when it is damaged or longer than `out`.
 */
export function unpackLz4Block(block: Uint8Array, out: Uint8Array, at: number): number {
  let from = 0;
  let to = at;
  while (from < block.length) {
    const token = block[from++]!;
    let literals = token >> 4;
    if (literals === 15) [literals, from] = extended(block, from, literals);
    if (from + literals > block.length || to + literals > out.length)
      throw new Error('an LZ4 block is cut off');
    if (literals < 32) for (let i = 0; i < literals; i++) out[to + i] = block[from + i]!;
    else out.set(block.subarray(from, from + literals), to);
    from += literals;
    to += literals;
    // The last sequence has literals only.
    if (from === block.length) return to;
    const distance = (block[from] ?? 0) | ((block[from + 1] ?? 0) << 8);
    from += 2;
    let length = token & 15;
    if (length === 15) [length, from] = extended(block, from, length);
    length += MIN_MATCH;
    if (distance === 0 || distance > to || to + length > out.length)
      throw new Error('an LZ4 match leads outside');
    // Matches may overlap what they write.
    if (distance >= length) out.copyWithin(to, to - distance, to - distance + length);
    else for (let i = 0; i < length; i++) out[to + i] = out[to + i - distance]!;
    to += length;
  }
  return to;
}

function extended(block: Uint8Array, start: number, first: number): [length: number, from: number] {
  let length = first;
  let from = start;
  for (;;) {
    const byte = block[from++];
    if (byte === undefined) throw new Error('an LZ4 length is cut off');
    length += byte;
    if (byte < 255) return [length, from];
  }
}

/** Parquet's LZ4 codec: Hadoop's blocks, each behind its two lengths, or a bare block. */
export function unpackHadoopLz4(bytes: Uint8Array, sizeBytes: number): Uint8Array {
  const out = new Uint8Array(sizeBytes);
  const end = unpackHadoopBlocks(bytes, out) ?? unpackLz4Block(bytes, out, 0);
  return out.subarray(0, end);
}

function unpackHadoopBlocks(bytes: Uint8Array, out: Uint8Array): number | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let from = 0;
  let to = 0;
  while (from < bytes.length) {
    if (from + 8 > bytes.length) return undefined;
    const unpacked = view.getUint32(from);
    const packed = view.getUint32(from + 4);
    from += 8;
    if (from + packed > bytes.length || to + unpacked > out.length) return undefined;
    try {
      if (unpackLz4Block(bytes.subarray(from, from + packed), out, to) !== to + unpacked) return undefined;
    } catch {
      return undefined;
    }
    from += packed;
    to += unpacked;
  }
  return to;
}

const FRAME_MAGIC = 0x184d2204;
const STORED = 0x8000_0000;

/** Frames, one after the other, of `sizeBytes` at most. Checksums are not compared. */
export function unpackLz4Frames(bytes: Uint8Array, sizeBytes: number): Uint8Array {
  const out = new Uint8Array(sizeBytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let from = 0;
  let to = 0;
  while (from < bytes.length) {
    if (view.getUint32(from, true) !== FRAME_MAGIC) throw new Error('no LZ4 frame');
    const flags = view.getUint8(from + 4);
    if (flags >> 6 !== 1 || (flags & 1) !== 0)
      throw new Error('an LZ4 frame of an unknown version, or with a dictionary');
    from += 7 + ((flags & 8) === 0 ? 0 : 8);
    for (;;) {
      const header = view.getUint32(from, true);
      from += 4;
      if (header === 0) break;
      const size = header % STORED;
      if (from + size > bytes.length) throw new Error('an LZ4 frame is cut off');
      const block = bytes.subarray(from, from + size);
      if (header >= STORED) out.set(block, to);
      to = header >= STORED ? to + size : unpackLz4Block(block, out, to);
      from += size + ((flags & 16) === 0 ? 0 : 4);
    }
    from += (flags & 4) === 0 ? 0 : 4;
  }
  return out.subarray(0, to);
}
