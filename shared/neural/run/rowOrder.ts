// In which order the rows of a dataset are learned from: drawn from the seed and the epoch alone, so that it does not
// depend on who is there. Shards are put in a random order, as many as fit in memory are opened at a time, and the rows
// of those are mixed; a dataset that fits in memory is mixed as a whole.

import type { TensorDataset } from './neuralSpec.ts';

/** Rows of open shards are held by every member. */
const WINDOW_BYTES = 192 * 1024 * 1024;

export interface RowPlace {
  readonly shard: number;
  readonly row: number;
}

interface Window {
  readonly firstPosition: number;
  readonly rows: number;
  readonly shards: readonly number[];
}

export class RowOrder {
  readonly #dataset: TensorDataset;
  readonly #windows: Window[] = [];
  readonly #permutations: readonly Permutation[];

  /** @param seed undefined: the rows as they lie, for evaluation. */
  constructor(dataset: TensorDataset, epoch: number, seed: number | undefined, windowBytes = WINDOW_BYTES) {
    this.#dataset = dataset;
    const { shards } = dataset;
    const order = shards.map((_, at) => at);
    if (seed !== undefined) {
      const shuffle = new Permutation(shards.length, mix(seed, epoch, 0x5eed));
      for (let at = 0; at < order.length; at++) order[at] = shuffle.at(at);
    }
    let open: number[] = [];
    let bytes = 0;
    let first = 0;
    const close = (): void => {
      if (open.length === 0) return;
      const rows = open.reduce((sum, shard) => sum + shards[shard]!.rows, 0);
      this.#windows.push({ firstPosition: first, rows, shards: open });
      [open, bytes, first] = [[], 0, first + rows];
    };
    for (const shard of order) {
      if (bytes + shards[shard]!.sizeBytes > windowBytes) close();
      open.push(shard);
      bytes += shards[shard]!.sizeBytes;
    }
    close();
    this.#permutations = this.#windows.map(
      ({ rows }, at) => new Permutation(rows, seed === undefined ? undefined : mix(seed, epoch, at + 1)),
    );
  }

  /** @param position from 0 to the rows of the dataset. */
  at(position: number): RowPlace {
    const found = this.#windows.findLastIndex(({ firstPosition }) => firstPosition <= position);
    const { firstPosition, shards } = this.#windows[found]!;
    let row = this.#permutations[found]!.at(position - firstPosition);
    for (const shard of shards) {
      const { rows } = this.#dataset.shards[shard]!;
      if (row < rows) return { shard, row };
      row -= rows;
    }
    throw new RangeError(`position ${position} is beyond the ${this.#dataset.rows} rows`);
  }
}

/**
 * A bijection of [0, size) in constant memory: a Feistel network of four rounds over the next power of four, walked
 * until it lands inside (Black & Rogaway 2002).
 */
export class Permutation {
  readonly #size: number;
  readonly #seed: number | undefined;
  readonly #half: number;

  /** @param seed undefined for the identity. */
  constructor(size: number, seed: number | undefined) {
    this.#size = size;
    this.#seed = seed;
    this.#half = Math.max(1, Math.ceil(Math.log2(Math.max(2, size)) / 2));
  }

  at(index: number): number {
    if (this.#seed === undefined) return index;
    let value = index;
    do value = this.#scramble(value, this.#seed);
    while (value >= this.#size);
    return value;
  }

  #scramble(value: number, seed: number): number {
    const width = 2 ** this.#half;
    let left = Math.floor(value / width);
    let right = value % width;
    for (let round = 0; round < 4; round++) {
      [left, right] = [right, (left ^ mix(seed, round, right)) & (width - 1)];
    }
    return left * width + right;
  }
}

/** A hash of three numbers (the finaliser of MurmurHash3, after each). */
function mix(a: number, b: number, c: number): number {
  let hash = 0x9e3779b9;
  for (const part of [a, b, c]) {
    hash = Math.imul(hash ^ part, 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    hash ^= hash >>> 16;
  }
  return hash >>> 0;
}
