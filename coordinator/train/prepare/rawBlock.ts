// Consecutive rows of a dataset before they are binned, all columns in one buffer, so that a block is written to and
// read from a file in one piece.

import { ROWS_PER_SHARD } from '../../../shared/gbdt/shardCodec.ts';

export interface BlockLayout {
  /** True where a feature holds category codes (a byte a row) and not numbers (a float32 a row). */
  readonly categorical: readonly boolean[];
  readonly weighted: boolean;
}

/** Rows of every block but a dataset's last. */
export const BLOCK_ROWS = ROWS_PER_SHARD;

export class RawBlock {
  firstRow = 0;
  rows = 0;
  /** Columns one after another, floats before bytes; rows beyond `rows` are unspecified. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly features: readonly (Float32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>)[];
  readonly labels: Float32Array<ArrayBuffer>;
  readonly weights: Float32Array<ArrayBuffer> | undefined;

  constructor(layout: BlockLayout) {
    const bytes = layout.categorical.filter(Boolean).length;
    const floats = layout.categorical.length - bytes + 1 + (layout.weighted ? 1 : 0);
    const buffer = new ArrayBuffer(BLOCK_ROWS * (4 * floats + bytes));
    let offset = 0;
    const nextFloats = (): Float32Array<ArrayBuffer> => {
      const column = new Float32Array(buffer, offset, BLOCK_ROWS);
      offset += 4 * BLOCK_ROWS;
      return column;
    };
    this.bytes = new Uint8Array(buffer);
    this.labels = nextFloats();
    this.weights = layout.weighted ? nextFloats() : undefined;
    const numeric = layout.categorical.map((categorical) => (categorical ? undefined : nextFloats()));
    this.features = numeric.map((column) => {
      if (column) return column;
      const codes = new Uint8Array(buffer, offset, BLOCK_ROWS);
      offset += BLOCK_ROWS;
      return codes;
    });
  }
}
