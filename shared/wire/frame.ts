// The binary frame that peers exchange: a 32-byte header and a payload, little-endian throughout.
//
//   0 u8  magic 0x54 ('T')      8 u32 sequence number of the collective    20 u32 payload length in bytes
//   1 u8  version              12 u16 stream within the collective         24 u32 bytes of the whole stream
//   2 u8  kind                 14 u16 part (the rank that it belongs to)   28 u32 XXH32 of bytes 0..27 and payload
//   3 u8  element type         16 u32 offset within the stream in bytes
//   4 u32 generation
//
// The header is a multiple of 8, so a payload can be viewed as Float64Array without copying.

import { TabgradError } from '../../kernels/errors.ts';
import { checksum32 } from './checksum.ts';

/** Raised when a header field changes its meaning. Frames of other versions are refused. */
export const FRAME_VERSION = 1;
export const FRAME_HEADER_BYTES = 32;
/** 256 KiB: what Chromium and libdatachannel accept as one data channel message (RFC 8831 sets no floor above 16 KiB). */
export const MAX_FRAME_BYTES = 256 * 1024;

const MAGIC = 0x54;

/** data: a piece of a stream; credit: how far a receiver has consumed one (in `offset`). Index is the wire tag. */
export const frameKinds = ['data', 'credit'] as const;
export const elementTypes = ['bytes', 'f64', 'f32', 'i32', 'u32'] as const;

type FrameKind = (typeof frameKinds)[number];
export type ElementType = (typeof elementTypes)[number];

export interface FrameHeader {
  readonly kind: FrameKind;
  readonly elementType: ElementType;
  readonly generation: number;
  readonly sequence: number;
  readonly stream: number;
  readonly part: number;
  /** Position of the payload within the stream, in bytes. */
  readonly offset: number;
  /** Length of the whole stream, in bytes. */
  readonly totalBytes: number;
}

export interface Frame extends FrameHeader {
  /** A view into the message. */
  readonly payload: Uint8Array;
}

/** The message is no frame: bad magic, tag, length or range. */
export class FrameInvalidError extends TabgradError {
  readonly code = 'FRAME_INVALID';
}

/** The bytes changed on their way. */
class FrameCorruptError extends TabgradError {
  readonly code = 'FRAME_CORRUPT';
}

/** The peer runs a release with another wire. */
class FrameVersionError extends TabgradError {
  readonly code = 'FRAME_VERSION';
}

/** One message with its header filled in; copies the payload. */
export function encodeFrame(header: FrameHeader, payload: Uint8Array): Uint8Array {
  const message = new Uint8Array(FRAME_HEADER_BYTES + payload.length);
  const view = new DataView(message.buffer);
  view.setUint8(0, MAGIC);
  view.setUint8(1, FRAME_VERSION);
  view.setUint8(2, frameKinds.indexOf(header.kind));
  view.setUint8(3, elementTypes.indexOf(header.elementType));
  view.setUint32(4, header.generation, true);
  view.setUint32(8, header.sequence, true);
  view.setUint16(12, header.stream, true);
  view.setUint16(14, header.part, true);
  view.setUint32(16, header.offset, true);
  view.setUint32(20, payload.length, true);
  view.setUint32(24, header.totalBytes, true);
  message.set(payload, FRAME_HEADER_BYTES);
  view.setUint32(28, frameChecksum(message), true);
  return message;
}

/**
 * Reads a message that a peer sent, trusting none of it.
 * @param peer Worker id of the sender, for the error.
 * @throws FrameInvalidError, FrameVersionError or FrameCorruptError, each naming the peer.
 */
export function decodeFrame(message: Uint8Array, peer: string): Frame {
  const invalid = (what: string): FrameInvalidError =>
    new FrameInvalidError(`Peer ${peer} sent a message that is no frame: ${what}.`, { peer });
  if (message.length < FRAME_HEADER_BYTES || message.length > MAX_FRAME_BYTES) {
    throw invalid(`${message.length} bytes, expected ${FRAME_HEADER_BYTES} to ${MAX_FRAME_BYTES}`);
  }
  const aligned = message.byteOffset % 8 === 0 ? message : message.slice();
  const view = new DataView(aligned.buffer, aligned.byteOffset, aligned.length);
  if (view.getUint8(0) !== MAGIC) throw invalid(`it begins with byte ${view.getUint8(0)}, expected ${MAGIC}`);
  const version = view.getUint8(1);
  if (version !== FRAME_VERSION) {
    throw new FrameVersionError(
      `Peer ${peer} speaks wire version ${version}, this worker speaks ${FRAME_VERSION}; load the same release.`,
      { peer },
    );
  }
  const length = view.getUint32(20, true);
  if (length !== message.length - FRAME_HEADER_BYTES) {
    throw invalid(`it announces ${length} payload bytes and holds ${message.length - FRAME_HEADER_BYTES}`);
  }
  if (view.getUint32(28, true) !== frameChecksum(aligned)) {
    throw new FrameCorruptError(
      `A frame of ${message.length} bytes from peer ${peer} was damaged on its way.`,
      {
        peer,
      },
    );
  }
  const kind = frameKinds[view.getUint8(2)];
  const elementType = elementTypes[view.getUint8(3)];
  if (kind === undefined) throw invalid(`unknown kind ${view.getUint8(2)}`);
  if (elementType === undefined) throw invalid(`unknown element type ${view.getUint8(3)}`);
  const offset = view.getUint32(16, true);
  const totalBytes = view.getUint32(24, true);
  if (offset > totalBytes) throw invalid(`offset ${offset} lies beyond the stream's ${totalBytes} bytes`);
  return {
    kind,
    elementType,
    generation: view.getUint32(4, true),
    sequence: view.getUint32(8, true),
    stream: view.getUint16(12, true),
    part: view.getUint16(14, true),
    offset,
    totalBytes,
    payload: aligned.subarray(FRAME_HEADER_BYTES),
  };
}

function frameChecksum(message: Uint8Array): number {
  return checksum32(message.subarray(FRAME_HEADER_BYTES), checksum32(message.subarray(0, 28)));
}
