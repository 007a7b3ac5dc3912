// Which tile a product is cut by, and into how many parts its inner dimension: the only place where that is decided.
// What was measured on this adapter (tuneProducts.ts) comes first; else an estimate of the time from the tile's rate.

import type { ProductTile } from './productTile.ts';
import { heightOf, nameOf, widthOf } from './productTile.ts';
import { registerTiles, workgroupTiles } from './tiles.ts';

export interface ProductSize {
  readonly kind: 'gather' | 'weights';
  readonly rows: number;
  readonly columns: number;
  readonly inner: number;
  /** Products of about this size in one dispatch: phases of a strided input gradient. */
  readonly phases: number;
}

export interface ProductChoice {
  readonly tile: ProductTile;
  readonly splits: number;
}

export type AdapterClass = 'gpu' | 'software';

/** What tuning found: choices by `sizeClass`. A JSON value that the caller keeps, for one adapter. */
export type TunedChoices = Readonly<Record<string, ProductChoice>>;

export interface TileChooser {
  readonly choose: (size: ProductSize) => ProductChoice;
}

/** Sizes that one measurement stands for: equal columns and inner dimension, about as many rows. */
export function sizeClass({ kind, rows, columns, inner, phases }: ProductSize): string {
  const about = (size: number): number => 2 ** Math.ceil(Math.log2(size));
  return `${kind} ${about(rows)}x${about(columns)}x${about(inner)}x${phases}`;
}

/** Software adapters are named so by their drivers. */
export function adapterClass(adapter: {
  readonly architecture: string;
  readonly description: string;
  readonly vendor: string;
}): AdapterClass {
  const names = `${adapter.vendor} ${adapter.architecture} ${adapter.description}`.toLowerCase();
  return /swiftshader|llvmpipe|lavapipe|warp|software|basic render/.test(names) ? 'software' : 'gpu';
}

export function createTileChooser(adapter: AdapterClass, tuned: TunedChoices = {}): TileChooser {
  return { choose: (size) => tuned[sizeClass(size)] ?? estimate(adapter, size) };
}

/** Rate of a full tile, relative to the others of its kind; measured, see docs/performance.md. */
const rates: Readonly<Record<string, number>> = {};

/** Workgroups that a large GPU works on at once, and those that keep a few cores busy. */
const WORKGROUPS: Readonly<Record<AdapterClass, number>> = { gpu: 264, software: 16 };
/** Most bytes of partial sums. */
const PARTIAL_BYTES = 64 * 2 ** 20;
/** Inner dimension of a part, at least: a shorter one is not worth its partial sums. */
const INNER_OF_PART = 128;

export function candidates(adapter: AdapterClass): readonly ProductTile[] {
  return adapter === 'gpu' ? workgroupTiles : registerTiles;
}

/** Parts that fill the adapter without leaving each too little to do. */
export function splitsFor(adapter: AdapterClass, size: ProductSize, tile: ProductTile): number {
  const { kind, rows, columns, inner, phases } = size;
  if (kind === 'gather' && tile.memory === 'registers') return 1;
  const tiles = Math.ceil(rows / heightOf(tile)) * Math.ceil(columns / widthOf(tile)) * phases;
  const wanted = Math.floor((2 * WORKGROUPS[adapter]) / tiles);
  const most = Math.min(
    Math.floor(inner / INNER_OF_PART),
    Math.floor(PARTIAL_BYTES / (4 * rows * columns * phases)),
  );
  return Math.max(1, Math.min(wanted, most));
}

function estimate(adapter: AdapterClass, size: ProductSize): ProductChoice {
  let best: { choice: ProductChoice; time: number } | undefined;
  for (const tile of candidates(adapter)) {
    const splits = splitsFor(adapter, size, tile);
    const tiles =
      Math.ceil(size.rows / heightOf(tile)) * Math.ceil(size.columns / widthOf(tile)) * size.phases * splits;
    const waves = Math.max(1, Math.ceil(tiles / WORKGROUPS[adapter]));
    const rate = rates[nameOf(tile)] ?? 1;
    const time = (waves * heightOf(tile) * widthOf(tile) * (size.inner / splits)) / rate;
    if (best === undefined || time < best.time) best = { choice: { tile, splits }, time };
  }
  if (best === undefined) throw new RangeError('There are no tiles.');
  return best.choice;
}
