// Frames of the WebSocket protocol (RFC 6455, 5.2), made by hand: what a well-behaved client never sends, too.

export interface FrameOptions {
  readonly opcode?: number;
  readonly isFinal?: boolean;
  /** Announced, where that is not the length of the payload. */
  readonly announcedBytes?: number;
}

const TEXT = 1;
const MASK = Buffer.alloc(4);

/** A frame as clients send it, masked with zeros. */
export function frame(
  payload: Buffer | string,
  { opcode = TEXT, isFinal = true, announcedBytes }: FrameOptions = {},
): Buffer {
  const bytes = Buffer.from(payload);
  const length = announcedBytes ?? bytes.length;
  const first = Buffer.from([opcode | (isFinal ? 0x80 : 0)]);
  return Buffer.concat([first, lengthField(length), MASK, bytes]);
}

function lengthField(length: number): Buffer {
  if (length < 126) return Buffer.from([0x80 | length]);
  const field = Buffer.alloc(length < 65_536 ? 3 : 9);
  field[0] = 0x80 | (length < 65_536 ? 126 : 127);
  if (length < 65_536) field.writeUInt16BE(length, 1);
  else field.writeBigUInt64BE(BigInt(length), 1);
  return field;
}
