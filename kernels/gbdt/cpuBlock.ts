// A block as the cpu device holds it: slots row by row, four features to a word (one load serves four features, and a
// histogram pass loads each gradient once), and for each node of the growing tree a contiguous run of row indices.

import { hasClassOutputs } from './gradientKinds.ts';
import type { BinnedBlock, DeviceSpec, LoadedBlock, NodeSplit } from './treeDevice.ts';
import { MISSING_BIN, hasWideMargins } from './treeDevice.ts';

interface RowRange {
  readonly begin: number;
  readonly end: number;
}

/** State of one block; plain data that the cpu kernels work on. */
export interface CpuBlock extends LoadedBlock {
  /** [row][word]: slot indices of features 4·word.. from the lowest byte; a missing value is the last slot. */
  readonly words: Uint32Array<ArrayBuffer>;
  readonly wordsPerRow: number;
  /** [feature][row]: the block's own codes. Partition reads one feature of a row, and a column fits the cache. */
  readonly columns: readonly Uint8Array[];
  readonly labels: Int32Array;
  readonly weights: Uint32Array | undefined;
  /** [output][row]. */
  readonly margins: Int32Array<ArrayBuffer>;
  /** [row][g, h]; empty for evaluation blocks. */
  readonly gradients: Int32Array<ArrayBuffer>;
  /** Low limbs of what is above, where the spec is wide. */
  readonly low: CpuLowLimbs | undefined;
  /** Row indices, those of a node next to one another in ascending order. Not filled while all rows are at the root. */
  readonly order: Uint32Array<ArrayBuffer>;
  /** Counts up from zero, for at least as many rows as there are; shared by the device's blocks. */
  identity: Uint32Array;
  /** Where each leaf of the growing tree lies in `order`. Empty before the first tree. */
  readonly ranges: Map<number, RowRange>;
  /** Splits that are yet to be carried out; their nodes are still in `ranges`. */
  waiting: readonly NodeSplit[];
  /** Softmax only: what the outputs of a round share; stale once margins change. */
  readonly softmax: {
    readonly highest: Int32Array<ArrayBuffer>;
    readonly total: Uint32Array<ArrayBuffer>;
    fresh: boolean;
  };
}

export interface CpuLowLimbs {
  readonly labels: Int32Array | undefined;
  readonly weights: Uint32Array | undefined;
  readonly margins: Int32Array<ArrayBuffer> | undefined;
  readonly gradients: Int32Array<ArrayBuffer>;
}

function lowLimbs(spec: DeviceSpec, { low, rows }: BinnedBlock, trained: number): CpuLowLimbs | undefined {
  if (spec.isWide !== true) return undefined;
  const base = low?.baseMargins ?? new Int32Array(rows).fill(spec.baseMarginLow ?? 0);
  return {
    labels: low?.labels,
    weights: low?.weights,
    margins: hasWideMargins(spec) ? Int32Array.from(base) : undefined,
    gradients: new Int32Array(2 * trained),
  };
}

function packWords(spec: DeviceSpec, block: BinnedBlock, wordsPerRow: number): Uint32Array<ArrayBuffer> {
  const words = new Uint32Array(block.rows * wordsPerRow);
  block.bins.forEach((column, feature) => {
    const missingSlot = (spec.slotsPerFeature[feature] ?? 1) - 1;
    const shift = 8 * (feature & 3);
    for (let row = 0, at = feature >> 2; row < column.length; row += 1, at += wordsPerRow) {
      const bin = column[row] ?? 0;
      words[at] = (words[at] ?? 0) | ((bin === MISSING_BIN ? missingSlot : bin) << shift);
    }
  });
  return words;
}

/** Takes what the device needs of a block that passed checkBlock; keeps its arrays rather than copies. */
export function createCpuBlock(
  spec: DeviceSpec,
  block: BinnedBlock,
  role: LoadedBlock['role'],
  identity: Uint32Array,
): CpuBlock {
  const trained = role === 'train' ? block.rows : 0;
  const shared = hasClassOutputs(spec.gradient) ? trained : 0;
  const wordsPerRow = Math.ceil(spec.slotsPerFeature.length / 4);
  return {
    firstRow: block.firstRow,
    rows: block.rows,
    role,
    words: packWords(spec, block, wordsPerRow),
    wordsPerRow,
    columns: role === 'train' ? block.bins : [],
    labels: role === 'train' ? block.labels : new Int32Array(0),
    weights: role === 'train' ? block.weights : undefined,
    margins: Int32Array.from(
      block.baseMargins ?? new Int32Array(block.rows * spec.outputs).fill(spec.baseMargin),
    ),
    gradients: new Int32Array(2 * trained),
    low: lowLimbs(spec, block, trained),
    order: new Uint32Array(trained),
    identity,
    ranges: new Map(),
    waiting: [],
    softmax: { highest: new Int32Array(shared), total: new Uint32Array(shared), fresh: false },
  };
}

/** The rows by node, as `ranges` cuts them up. */
export function rowsInOrder(block: CpuBlock): Uint32Array {
  return block.ranges.has(0) ? block.identity : block.order;
}
