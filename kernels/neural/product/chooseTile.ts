// Which tile a product is cut by, and into how many parts its inner dimension: the only place where that is decided.
// What was measured on this adapter (tuneProducts.ts) comes first; else the least estimate of the time.

import type { ProductTile } from './productTile.ts';
import { heightOf, widthOf } from './productTile.ts';
import type { RatedTile } from './tiles.ts';
import { registerTiles, workgroupTiles } from './tiles.ts';

type ProductKind = 'gather' | 'weights';

export interface ProductSize {
  readonly kind: ProductKind;
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

/** What tuning found: choices by `sizeClass`. A JSON value that the caller keeps, for one adapter (`tuningKey`). */
export type TunedChoices = Readonly<Record<string, ProductChoice>>;

export interface TileChooser {
  readonly choose: (size: ProductSize) => ProductChoice;
}

interface AdapterModel {
  readonly tiles: readonly RatedTile[];
  /** Workgroups of a 128 × 128 tile that are worked on side by side. */
  readonly units: number;
  /** Multiply-adds in the time that one float of a partial sum is written or read. */
  readonly macsPerFloat: number;
}

/**
 * Fitted to an H100 (132 units, 43 TFLOP/s to 3 TB/s), where the estimate's choice reaches 93 % of the best measured one
 * over the layers of ResNet-18. Smaller GPUs have the same proportions or cheaper memory; more parts than they need cost little.
 */
const models: Readonly<Record<AdapterClass, AdapterModel>> = {
  gpu: { tiles: workgroupTiles, units: 132, macsPerFloat: 28 },
  software: { tiles: registerTiles, units: 4, macsPerFloat: 8 },
};

/** Most bytes of partial sums. */
const PARTIAL_BYTES = 64 * 2 ** 20;
/** Of choices from outside; those made here are within the bounds of `splitsOf`. */
const MOST_SPLITS = 4096;
/** Inner dimension of a part, at least. */
const INNER_OF_PART = 128;
/** The last tile of a unit is waited for while others idle: on average half of one. */
const TAIL_TILES = 0.5;

/** Sizes that one measurement stands for. */
export function sizeClass({ kind, rows, columns, inner, phases }: ProductSize): string {
  const about = (size: number): number => 2 ** Math.ceil(Math.log2(size));
  return `${kind} ${about(rows)}x${about(columns)}x${about(inner)}x${phases}`;
}

/** Software adapters are named so by their drivers. */
export function adapterClass(
  adapter: Pick<GPUAdapterInfo, 'architecture' | 'description' | 'vendor'>,
): AdapterClass {
  const names = `${adapter.vendor} ${adapter.architecture} ${adapter.description}`.toLowerCase();
  return /swiftshader|llvmpipe|lavapipe|warp|software|basic render/.test(names) ? 'software' : 'gpu';
}

/** Whether a value from outside is a choice that kernels for such an adapter can be made of. */
export function isChoice(adapter: AdapterClass, value: unknown): value is ProductChoice {
  const { tile, splits } = (value ?? {}) as Partial<ProductChoice>;
  const isCount = Number.isInteger(splits) && splits! >= 1 && splits! <= MOST_SPLITS;
  const written = JSON.stringify(tile);
  return isCount && models[adapter].tiles.some((rated) => JSON.stringify(rated.tile) === written);
}

export function createTileChooser(adapter: AdapterClass, tuned: TunedChoices = {}): TileChooser {
  return {
    choose(size) {
      const known = tuned[sizeClass(size)];
      if (known !== undefined) return known;
      const [best] = candidates(adapter, size);
      if (best === undefined) throw new RangeError('There are no tiles.');
      return best;
    },
  };
}

/** All tiles with all numbers of parts that make sense, by estimated time. */
export function candidates(adapter: AdapterClass, size: ProductSize): ProductChoice[] {
  const { tiles } = models[adapter];
  return tiles
    .flatMap((rated) => splitsOf(rated.tile, size).map((splits) => ({ rated, splits })))
    .map(({ rated, splits }) => ({ rated, splits, time: estimate(models[adapter], size, rated, splits) }))
    .sort((a, b) => a.time - b.time)
    .map(({ rated: { tile }, splits }) => ({ tile, splits }));
}

function splitsOf(tile: ProductTile, { kind, rows, columns, inner, phases }: ProductSize): number[] {
  if (kind === 'gather' && tile.memory === 'registers') return [1];
  const partBytes = 4 * rows * columns * phases;
  const most = Math.min(inner / INNER_OF_PART, PARTIAL_BYTES / partBytes);
  const splits = [1];
  for (let parts = 2; parts <= most; parts *= 2) splits.push(parts);
  return splits;
}

/** In multiply-adds of one unit. */
function estimate(model: AdapterModel, size: ProductSize, rated: RatedTile, splits: number): number {
  const { kind, rows, columns, inner, phases } = size;
  const [height, width] = [heightOf(rated.tile), widthOf(rated.tile)];
  const tiles = Math.ceil(rows / height) * Math.ceil(columns / width) * phases * splits;
  const ofTile = (height * width * inner) / splits / rated.rate[kind];
  const partials = splits === 1 ? 0 : 2 * splits * rows * columns * phases * model.macsPerFloat;
  return (tiles / model.units + TAIL_TILES) * ofTile + partials / model.units;
}
