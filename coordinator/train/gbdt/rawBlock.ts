// Consecutive rows of a dataset before they are binned, all columns in one buffer, so that a block is written to and
// read from a file in one piece.

import { ROWS_PER_SHARD } from '../../../shared/gbdt/shardCodec.ts';

export interface BlockLayout {
  /** True where a feature holds category codes (a byte a row) and not numbers (a float32 a row). */
  readonly categorical: readonly boolean[];
  readonly weighted: boolean;
}

/** A block takes at most this much where tables are wide, rows permitting. */
const MAX_BLOCK_BYTES = 32 * 1024 * 1024;
/** Even the widest table has so many rows a block: no shard has fewer but a dataset's last. */
const MIN_BLOCK_ROWS = 64;

/** Rows of every block but a dataset's last: a power of two that follows from the layout alone. */
function blockRows(layout: BlockLayout): number {
  let rows = ROWS_PER_SHARD;
  while (rows > MIN_BLOCK_ROWS && rows * rowBytes(layout) > MAX_BLOCK_BYTES) rows /= 2;
  return rows;
}

function rowBytes({ categorical, weighted }: BlockLayout): number {
  return categorical.reduce((bytes, isCategorical) => bytes + (isCategorical ? 1 : 4), weighted ? 8 : 4);
}

/** Where a column lies in a block's bytes. */
export interface ColumnPlace {
  readonly offset: number;
  readonly isCategorical: boolean;
}

/** Columns one after another, floats before bytes: label, weight, numbers, category codes. */
export interface BlockPlaces {
  readonly rows: number;
  readonly sizeBytes: number;
  readonly label: ColumnPlace;
  readonly weight: ColumnPlace | undefined;
  readonly features: readonly ColumnPlace[];
}

export function placeColumns(layout: BlockLayout): BlockPlaces {
  const rows = blockRows(layout);
  let offset = 0;
  const next = (isCategorical: boolean): ColumnPlace => {
    const place = { offset, isCategorical };
    offset += rows * (isCategorical ? 1 : 4);
    return place;
  };
  const label = next(false);
  const weight = layout.weighted ? next(false) : undefined;
  const numeric = layout.categorical.map((isCategorical) => (isCategorical ? undefined : next(false)));
  const features = numeric.map((place) => place ?? next(true));
  return { rows, sizeBytes: offset, label, weight, features };
}

export class RawBlock {
  firstRow = 0;
  rows = 0;
  /** Rows that have room. */
  readonly capacity: number;
  /** Rows beyond `rows` are unspecified. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly features: readonly (Float32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>)[];
  readonly labels: Float32Array<ArrayBuffer>;
  readonly weights: Float32Array<ArrayBuffer> | undefined;

  constructor(layout: BlockLayout) {
    const places = placeColumns(layout);
    const buffer = new ArrayBuffer(places.sizeBytes);
    const floats = ({ offset }: ColumnPlace) => new Float32Array(buffer, offset, places.rows);
    this.capacity = places.rows;
    this.bytes = new Uint8Array(buffer);
    this.labels = floats(places.label);
    this.weights = places.weight && floats(places.weight);
    this.features = places.features.map((place) =>
      place.isCategorical ? new Uint8Array(buffer, place.offset, places.rows) : floats(place),
    );
  }
}
