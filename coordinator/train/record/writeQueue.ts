// Writes of a run's folder, one after another in the order in which they were asked for.

export class WriteQueue {
  readonly #onFailure: (error: unknown) => void;
  #writing: Promise<void> = Promise.resolve();

  /** @param onFailure told of a failed write at once; those after it are not made. */
  constructor(onFailure: (error: unknown) => void) {
    this.#onFailure = onFailure;
  }

  add(write: () => Promise<void>): void {
    this.#writing = this.#writing.then(write);
    this.#writing.catch((error: unknown) => this.#onFailure(error));
  }

  /** Resolves when all writes are made. @throws what the first one failed with. */
  settled(): Promise<void> {
    return this.#writing;
  }
}
