// How a product is cut: what a thread, a workgroup and a step along the inner dimension cover. Data, so that tiles can
// be listed, timed on an adapter and stored.

export interface ProductTile {
  /**
   * `workgroup`: threads load a block of both matrices together and read it from workgroup memory. `registers`: each thread
   * reads what it needs, which is best where workgroup memory is plain memory and barriers are expensive.
   */
  readonly memory: 'registers' | 'workgroup';
  /** Threads of a workgroup along the rows and the columns of the result. */
  readonly threadRows: number;
  readonly threadColumns: number;
  /** Results of one thread: a multiple of 4 along the columns, and along the rows in weight gradients. */
  readonly rows: number;
  readonly columns: number;
  /** `workgroup`: inner dimension of a block, a multiple of 4. */
  readonly depth: number;
  /**
   * `workgroup`: how a gathered image's block lies there. `inner`: vectors along the inner dimension, as they come from
   * memory. `rows`: vectors along the rows, turned on the way, which needs fewer registers later. Weight
   * gradients always have the second, without turning.
   */
  readonly left: 'inner' | 'rows';
  /** `workgroup`: blocks held at once; with two, the next one is stored while this one is multiplied. */
  readonly buffers: 1 | 2;
  /**
   * Where neighbouring threads lie: along the columns or the rows, or in blocks of 4 rows × 8 columns, so that the 32
   * that GPUs run in step read few different rows and columns.
   */
  readonly neighbours: 'blocks' | 'columns' | 'rows';
}

export function threadsOf(tile: ProductTile): number {
  return tile.threadRows * tile.threadColumns;
}

export function heightOf(tile: ProductTile): number {
  return tile.threadRows * tile.rows;
}

export function widthOf(tile: ProductTile): number {
  return tile.threadColumns * tile.columns;
}

export function workgroupBytes(tile: ProductTile): number {
  if (tile.memory === 'registers') return 0;
  return 4 * tile.buffers * tile.depth * (heightOf(tile) + widthOf(tile));
}

/** For messages, benches and stored tunings: "workgroup 128x128x8/2 8x8". */
export function nameOf(tile: ProductTile): string {
  const { memory, rows, columns, depth, buffers, left, neighbours } = tile;
  const block = `${heightOf(tile)}x${widthOf(tile)}`;
  return memory === 'workgroup'
    ? `workgroup ${block}x${depth}/${buffers} ${rows}x${columns} ${left} ${neighbours}`
    : `registers ${block} ${rows}x${columns} ${neighbours}`;
}
