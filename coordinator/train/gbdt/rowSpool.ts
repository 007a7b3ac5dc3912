// Rows between the two passes of preparation: on disk, because there may be more of them than memory.

import { SpoolFile } from '../../data/spool/spoolFile.ts';
import { placeColumns, RawBlock, type BlockLayout, type BlockPlaces, type ColumnPlace } from './rawBlock.ts';

export class RowSpool {
  readonly #layout: BlockLayout;
  readonly #places: BlockPlaces;
  readonly #file: SpoolFile;
  #rows = 0;

  private constructor(layout: BlockLayout, file: SpoolFile) {
    this.#layout = layout;
    this.#places = placeColumns(layout);
    this.#file = file;
  }

  /** @throws DiskFullError, WriteFailedError when the folder can't be written. */
  static async create(folder: string, layout: BlockLayout): Promise<RowSpool> {
    return new RowSpool(layout, await SpoolFile.create(folder));
  }

  get rows(): number {
    return this.#rows;
  }

  /** Rows of every block but the last. */
  get blockRows(): number {
    return this.#places.rows;
  }

  /** Appends a block; all but the last must be full. */
  async append(block: RawBlock): Promise<void> {
    await this.#file.write(block.bytes, (this.#rows / block.capacity) * block.bytes.byteLength);
    this.#rows += block.rows;
  }

  /** All blocks in order, each in the same memory: use one before asking for the next. */
  async *blocks(): AsyncGenerator<RawBlock> {
    const block = new RawBlock(this.#layout);
    for (let firstRow = 0; firstRow < this.#rows; firstRow += block.capacity) {
      await this.#file.read(block.bytes, (firstRow / block.capacity) * block.bytes.byteLength);
      block.firstRow = firstRow;
      block.rows = Math.min(block.capacity, this.#rows - firstRow);
      yield block;
    }
  }

  /**
   * Some numeric features, and the weights, of all blocks in order: no more is read than they take.
   * @returns arrays that are used again for the next block.
   */
  async *columns(features: readonly number[]): AsyncGenerator<{
    readonly columns: readonly Float32Array[];
    readonly weights: Float32Array | undefined;
  }> {
    const { rows, sizeBytes, weight, features: places } = this.#places;
    const runs = adjacentColumns(
      [...features.map((feature) => places[feature]!), ...(weight ? [weight] : [])],
      rows,
    );
    const columns = runs.flatMap((run) => run.columns);
    for (let firstRow = 0; firstRow < this.#rows; firstRow += rows) {
      const count = Math.min(rows, this.#rows - firstRow);
      const position = (firstRow / rows) * sizeBytes;
      for (const { offset, bytes } of runs) await this.#file.read(bytes, position + offset);
      const filled = columns.map((column) => column.subarray(0, count));
      yield { columns: filled.slice(0, features.length), weights: filled[features.length] };
    }
  }

  /** Removes the rows. Idempotent. */
  close(): Promise<void> {
    return this.#file.close();
  }
}

/** Columns that lie one behind the other: of wide tables each has a few hundred bytes, and a read takes its time. */
interface ColumnRun {
  readonly offset: number;
  readonly bytes: Uint8Array;
  readonly columns: readonly Float32Array[];
}

/** The columns of all runs together are those of `places`, in their order. */
function adjacentColumns(places: readonly ColumnPlace[], rows: number): ColumnRun[] {
  const runs: ColumnRun[] = [];
  for (let first = 0; first < places.length;) {
    const { offset } = places[first]!;
    let count = 1;
    while (places[first + count]?.offset === offset + 4 * rows * count) count++;
    const buffer = new ArrayBuffer(4 * rows * count);
    runs.push({
      offset,
      bytes: new Uint8Array(buffer),
      columns: Array.from({ length: count }, (_, i) => new Float32Array(buffer, 4 * rows * i, rows)),
    });
    first += count;
  }
  return runs;
}
