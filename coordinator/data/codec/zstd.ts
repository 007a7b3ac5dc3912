// Zstandard: Node's own where it has it (22.15, 23.8), JavaScript otherwise, in either case of a bounded size.
// https://datatracker.ietf.org/doc/html/rfc8878

import zlib from 'node:zlib';
import { Decompress, decompress } from 'fzstd';

const native = (zlib as { zstdDecompressSync?: (bytes: Uint8Array, options: object) => Uint8Array })
  .zstdDecompressSync;

/** What the format asks decoders to support at least is 8 MiB; `zstd --long` goes to this. */
const MAX_WINDOW_BYTES = 128 * 1024 * 1024;
const FRAME_MAGIC = 0xfd2fb528;

/** @throws Error when it is damaged, or more than `sizeBytes`. */
export function unpackZstd(bytes: Uint8Array, sizeBytes: number): Uint8Array {
  if (native !== undefined) return native(bytes, { maxOutputLength: sizeBytes });
  const out = new Uint8Array(sizeBytes);
  let to = 0;
  for (const { frame, contentBytes } of framesOf(bytes)) {
    if (contentBytes !== undefined) {
      if (to + contentBytes > sizeBytes) throw new Error(`a frame of ${contentBytes} bytes where ${sizeBytes} are expected`);
      decompress(frame, out.subarray(to, to + contentBytes));
      to += contentBytes;
      continue;
    }
    const stream = new Decompress((piece) => {
      if (to + piece.length > sizeBytes) throw new Error(`more than the expected ${sizeBytes} bytes`);
      out.set(piece, to);
      to += piece.length;
    });
    stream.push(frame, true);
  }
  return out.subarray(0, to);
}

interface Frame {
  readonly frame: Uint8Array;
  readonly contentBytes: number | undefined;
}

/** The library takes memory for what a frame's header claims, so that is looked at first. */
function* framesOf(bytes: Uint8Array): Generator<Frame> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < bytes.length;) {
    const magic = view.getUint32(at, true);
    if (magic >>> 4 === 0x184d2a5) {
      at += 8 + view.getUint32(at + 4, true);
      continue;
    }
    if (magic !== FRAME_MAGIC) throw new Error('no Zstandard frame');
    const { blocksAt, contentBytes, hasChecksum } = frameHeader(view, at);
    const end = blocksEnd(view, blocksAt) + (hasChecksum ? 4 : 0);
    if (end > bytes.length) throw new Error('a Zstandard frame is cut off');
    yield { frame: bytes.subarray(at, end), contentBytes };
    at = end;
  }
}

function frameHeader(
  view: DataView,
  at: number,
): { blocksAt: number; contentBytes: number | undefined; hasChecksum: boolean } {
  const flags = view.getUint8(at + 4);
  const isSingle = (flags & 32) !== 0;
  let next = at + 5;
  if (!isSingle) {
    const window = view.getUint8(next++);
    const base = 2 ** (10 + (window >> 3));
    const windowBytes = base + (base / 8) * (window & 7);
    if (windowBytes > MAX_WINDOW_BYTES) throw new Error(`a Zstandard window of ${windowBytes} bytes`);
  }
  next += [0, 1, 2, 4][flags & 3]!;
  const sizeCode = flags >> 6;
  let contentBytes: number | undefined;
  if (sizeCode === 0 && isSingle) contentBytes = view.getUint8(next);
  else if (sizeCode === 1) contentBytes = view.getUint16(next, true) + 256;
  else if (sizeCode === 2) contentBytes = view.getUint32(next, true);
  else if (sizeCode === 3) contentBytes = Number(view.getBigUint64(next, true));
  next += sizeCode === 0 ? Number(isSingle) : 2 ** sizeCode;
  return { blocksAt: next, contentBytes, hasChecksum: (flags & 4) !== 0 };
}

function blocksEnd(view: DataView, blocksAt: number): number {
  for (let at = blocksAt; ;) {
    const header = view.getUint16(at, true) | (view.getUint8(at + 2) << 16);
    // A block of one repeated byte has that byte only.
    at += 3 + (((header >> 1) & 3) === 1 ? 1 : header >> 3);
    if ((header & 1) === 1) return at;
  }
}
