// The buffers in the body of an Arrow IPC message, one after the other, unpacked where they are compressed.

import type { IpcBatch } from './ipcMessage.ts';

export type UnpackBuffer = (codec: 'lz4' | 'zstd', bytes: Uint8Array, sizeBytes: number) => Uint8Array;

export class BodyBuffers {
  readonly #batch: IpcBatch;
  readonly #body: Uint8Array;
  readonly #unpack: UnpackBuffer;
  readonly #hold: (bytes: number, what: string) => void;
  #next = 0;

  constructor(
    batch: IpcBatch,
    body: Uint8Array,
    unpack: UnpackBuffer,
    hold: (bytes: number, what: string) => void,
  ) {
    this.#batch = batch;
    this.#body = body;
    this.#unpack = unpack;
    this.#hold = hold;
  }

  /** @throws Error when it lies outside of the body. */
  next(): BodyBuffer {
    const buffer = this.#batch.buffers[this.#next++];
    if (buffer === undefined) throw new Error('there are fewer buffers than the schema needs');
    const { offset, length } = buffer;
    if (offset + length > this.#body.length) {
      throw new Error(`a buffer of ${length} bytes at ${offset} in a body of ${this.#body.length}`);
    }
    const bytes = this.#body.subarray(offset, offset + length);
    const codec = this.#batch.compression;
    return new BodyBuffer(codec === undefined || length === 0 ? bytes : this.#unpacked(codec, bytes));
  }

  /** Compressed buffers begin with their size; -1 for those that are stored as they are. */
  #unpacked(codec: 'lz4' | 'zstd', bytes: Uint8Array): Uint8Array {
    if (bytes.length < 8) throw new Error('a compressed buffer without its size');
    const size = new DataView(bytes.buffer, bytes.byteOffset).getBigInt64(0, true);
    const packed = bytes.subarray(8);
    if (size === -1n) return packed;
    if (size < 0n || size > 0x7fff_ffffn) throw new Error(`a buffer of ${size} bytes`);
    if (size === 0n) return new Uint8Array(0);
    this.#hold(Number(size), 'a compressed buffer');
    const content = this.#unpack(codec, packed, Number(size));
    if (content.length !== Number(size))
      throw new Error(`${content.length} bytes unpacked where ${size} are expected`);
    return content;
  }
}

export class BodyBuffer {
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** The first `count` elements, in place where they are aligned. @throws Error when there are fewer. */
  typed<T extends Uint8Array | Int32Array | Uint32Array | Float64Array | BigInt64Array>(
    Values: {
      new (buffer: ArrayBufferLike, offset: number, length: number): T;
      readonly BYTES_PER_ELEMENT: number;
    },
    count: number,
  ): T {
    const { bytes } = this;
    const size = count * Values.BYTES_PER_ELEMENT;
    if (size > bytes.length) throw new Error(`a buffer of ${bytes.length} bytes where ${size} are needed`);
    const isAligned = bytes.byteOffset % Values.BYTES_PER_ELEMENT === 0;
    const at = isAligned ? bytes : bytes.slice(0, size);
    return new Values(at.buffer, at.byteOffset, count);
  }
}
