// How much of an unfinished WebSocket message there is, read from the raw bytes of the connection: the headers of its frames
// (RFC 6455, 5.2) and nothing else. The library tells of messages only when they are complete.

/** Memory that a piece of a stream takes besides its bytes. */
const PIECE_BYTES = 256;
const SHORT_HEADER_BYTES = 2;
const MASK_BYTES = 4;
const MAX_HEADER_BYTES = 14;
const FIRST_CONTROL_OPCODE = 8;

export class MessageProgress {
  readonly #header = Buffer.alloc(MAX_HEADER_BYTES);
  #headerBytes = 0;
  /** Of the frame that is under way. */
  #payloadLeft = 0;
  #isInPayload = false;
  #isControl = false;
  #endsMessage = false;
  #announcedBytes = 0;
  #receivedBytes = 0;
  #pieces = 0;
  #finishedMessages = 0;

  /** Messages that were complete. */
  get finishedMessages(): number {
    return this.#finishedMessages;
  }

  /** Whether a message has begun and not ended. */
  get isUnfinished(): boolean {
    return this.#announcedBytes > 0;
  }

  /** What the message that is not complete takes in memory. */
  get heldBytes(): number {
    return this.#receivedBytes + this.#pieces * PIECE_BYTES;
  }

  /** Takes the next bytes of the connection. @returns the length, as far as it was announced, of the longest message in them. */
  take(bytes: Uint8Array): number {
    let longest = this.#announcedBytes;
    this.#pieces += this.isUnfinished ? 1 : 0;
    for (let at = 0; at < bytes.length;) {
      if (this.#isInPayload) {
        at += this.#takePayload(bytes.length - at);
      } else {
        this.#header[this.#headerBytes++] = bytes[at++]!;
        if (this.#headerBytes === headerLength(this.#header, this.#headerBytes)) this.#beginFrame();
      }
      longest = Math.max(longest, this.#announcedBytes);
      if (this.#isInPayload && this.#payloadLeft === 0) this.#endFrame();
    }
    return longest;
  }

  #takePayload(available: number): number {
    const taken = Math.min(available, this.#payloadLeft);
    this.#payloadLeft -= taken;
    if (!this.#isControl) this.#receivedBytes += taken;
    return taken;
  }

  #beginFrame(): void {
    const [first = 0, second = 0] = this.#header;
    this.#headerBytes = 0;
    this.#isInPayload = true;
    this.#isControl = (first & 0x0f) >= FIRST_CONTROL_OPCODE;
    this.#endsMessage = (first & 0x80) !== 0;
    this.#payloadLeft = payloadLength(this.#header, second & 0x7f);
    if (this.#isControl) return;
    // Counted as one byte at least: a message of empty fragments has begun, too.
    this.#announcedBytes += Math.max(1, this.#payloadLeft);
    if (this.#pieces === 0) this.#pieces = 1;
  }

  #endFrame(): void {
    this.#isInPayload = false;
    if (this.#isControl || !this.#endsMessage) return;
    this.#announcedBytes = this.#receivedBytes = this.#pieces = 0;
    this.#finishedMessages += 1;
  }
}

function headerLength(header: Buffer, known: number): number {
  if (known < SHORT_HEADER_BYTES) return SHORT_HEADER_BYTES;
  const second = header[1]!;
  const extended = (second & 0x7f) === 127 ? 8 : (second & 0x7f) === 126 ? 2 : 0;
  return SHORT_HEADER_BYTES + extended + ((second & 0x80) === 0 ? 0 : MASK_BYTES);
}

function payloadLength(header: Buffer, short: number): number {
  if (short === 127) return Number(header.readBigUInt64BE(SHORT_HEADER_BYTES));
  return short === 126 ? header.readUInt16BE(SHORT_HEADER_BYTES) : short;
}
