// Evenly spaced values of a stream whose length is not known before: all of a short one, a few thousand of a long one.

const MAX_VALUES = 4_096;

/** The values depend on their order alone, and not on the pieces in which they come. */
export class ValueSample {
  #values = new Float32Array(64);
  #count = 0;
  /** Every so manyth value is kept: a power of two. */
  #stride = 1;
  #seen = 0;

  add(values: ArrayLike<number>): void {
    const seen = this.#seen + values.length;
    while (Math.ceil(seen / this.#stride) > MAX_VALUES) this.#thin();
    const first = (this.#stride - (this.#seen % this.#stride)) % this.#stride;
    this.#reserve(Math.ceil(seen / this.#stride));
    for (let at = first; at < values.length; at += this.#stride) this.#values[this.#count++] = values[at]!;
    this.#seen = seen;
  }

  /** A view: the next `add` changes it. */
  get values(): Float32Array {
    return this.#values.subarray(0, this.#count);
  }

  #thin(): void {
    this.#stride *= 2;
    const kept = Math.ceil(this.#count / 2);
    for (let i = 0; i < kept; i++) this.#values[i] = this.#values[2 * i]!;
    this.#count = kept;
  }

  #reserve(count: number): void {
    if (count <= this.#values.length) return;
    const longer = new Float32Array(Math.min(MAX_VALUES, Math.max(count, 2 * this.#values.length)));
    longer.set(this.values);
    this.#values = longer;
  }
}
