// Memory of unpacked pages, filled again by later pages of a read: new memory for each page takes longer than unpacking it.

/** More than a page takes: what is copied out of it can be told from the memory itself, which is never handed on. */
const SPARE_BYTES = 8;

export class PageMemory {
  readonly #free: Uint8Array[] = [];
  /** Values of these may still be read while the batch is put together. */
  readonly #ofBatch: Uint8Array[] = [];

  /** Bytes of unspecified content. */
  take(sizeBytes: number): Uint8Array {
    const held = this.#free.pop();
    const room =
      held && held.length >= sizeBytes + SPARE_BYTES ? held : new Uint8Array(sizeBytes + SPARE_BYTES);
    return room.subarray(0, sizeBytes);
  }

  /** Takes back, with the end of the batch, what no later batch reads. */
  give(bytes: Uint8Array): void {
    this.#ofBatch.push(new Uint8Array(bytes.buffer));
  }

  /** The batch is complete: all of its values were copied. */
  releaseBatch(): void {
    this.#free.push(...this.#ofBatch.splice(0));
  }
}
