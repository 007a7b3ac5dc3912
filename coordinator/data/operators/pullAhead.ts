// Reads an iterable an item at a time, when it is told to, without anybody having to wait for the item.

export class PullAhead<T> {
  readonly #iterator: AsyncIterator<T>;
  #pulling: Promise<void> | undefined;
  #item: { readonly value: T } | undefined;
  #failure: { readonly error: unknown } | undefined;
  #isOver = false;

  constructor(input: AsyncIterable<T>) {
    this.#iterator = input[Symbol.asyncIterator]();
  }

  /** Nothing more comes. */
  get isOver(): boolean {
    return this.#isOver && this.#item === undefined;
  }

  /** @param onNews is called when there is something to take, or nothing more comes. */
  pull(onNews: () => void): void {
    if (this.#pulling || this.#item || this.#isOver || this.#failure) return;
    this.#pulling = this.#iterator.next().then(
      (next) => {
        this.#pulling = undefined;
        if (next.done === true) this.#isOver = true;
        else this.#item = { value: next.value };
        onNews();
      },
      (error: unknown) => {
        this.#pulling = undefined;
        this.#failure = { error };
        onNews();
      },
    );
  }

  /** The item that was pulled, once; undefined where there is none. @throws what pulling threw */
  take(): T | undefined {
    if (this.#failure) throw this.#failure.error;
    const item = this.#item;
    this.#item = undefined;
    return item?.value;
  }

  /** Ends the iterable, after an item that is on its way; that one is not waited for. */
  async close(): Promise<void> {
    const closed = this.#iterator.return?.();
    if (this.#pulling) closed?.catch(() => undefined);
    else await closed;
  }
}
