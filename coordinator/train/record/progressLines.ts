// Lines of a run's progress on their way to its file: what comes while the file is written is written together next.

import type { RunFolder } from './runFolder.ts';

type Line = Readonly<Record<string, unknown>>;

export class ProgressLines {
  readonly #folder: RunFolder;
  readonly #writes: WriteQueue;
  /** Not taken by a write yet; one is in the queue while there are any. */
  #waiting: Line[] = [];

  constructor(folder: RunFolder, writes: WriteQueue) {
    this.#folder = folder;
    this.#writes = writes;
  }

  add(line: Line): void {
    this.#waiting.push(line);
    if (this.#waiting.length > 1) return;
    this.#writes.add(() => {
      const lines = this.#waiting;
      this.#waiting = [];
      return this.#folder.appendProgress(lines);
    });
  }
}

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
