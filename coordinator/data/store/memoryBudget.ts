// Bounds what a file of a few bytes can make of memory: pages unpack, and levels and codes stand for as many values as
// they like to say.

/** What pages may take at least, however small the file is. */
export const DEFAULT_PAGE_MEMORY_BYTES = 256 * 1024 * 1024;
/** Columns of text and of few values are packed some twenty times as small as they are; rarely more. */
const USUAL_EXPANSION = 32;

/** The pages, dictionaries or values that are needed at once exceed the budget. */
export class BudgetExceeded extends Error {}

/** Bytes that the columns of one row group hold unpacked at one time. */
export class MemoryBudget {
  readonly limitBytes: number;
  #usedBytes = 0;
  #batchBytes = 0;

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes;
  }

  /** In proportion to what is stored: a file that is large may take much. */
  static forStored(storedBytes: number): MemoryBudget {
    return new MemoryBudget(Math.max(DEFAULT_PAGE_MEMORY_BYTES, USUAL_EXPANSION * storedBytes));
  }

  /** @param what is to be held, for the message. @throws BudgetExceeded */
  take(bytes: number, what: string): void {
    if (!(this.#usedBytes + bytes <= this.limitBytes)) {
      throw new BudgetExceeded(
        `${what} would take ${mib(bytes)}, with ${mib(this.#usedBytes)} taken by other pages; the limit is ${mib(this.limitBytes)}`,
      );
    }
    this.#usedBytes += bytes;
  }

  release(bytes: number): void {
    this.#usedBytes -= bytes;
  }

  /** As {@link take}, until the batch is complete. */
  takeForBatch(bytes: number, what: string): void {
    this.take(bytes, what);
    this.#batchBytes += bytes;
  }

  /** What was taken before goes with the batch. */
  keepForBatch(bytes: number): void {
    this.#batchBytes += bytes;
  }

  releaseBatch(): void {
    this.release(this.#batchBytes);
    this.#batchBytes = 0;
  }
}

function mib(bytes: number): string {
  return `${Math.ceil(bytes / 2 ** 20)} MiB`;
}
