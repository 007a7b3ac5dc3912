// What every tree device must get right, as data: the same list drives Node, Deno and a browser tab.

import type { GradientKind } from '../../../kernels/gbdt/gradientKinds.ts';
import type { BinnedBlock, DeviceSpec, LowLimbs } from '../../../kernels/gbdt/treeDevice.ts';
import type { SeededNumbers } from '../seededNumbers.ts';
import { seededNumbers } from '../seededNumbers.ts';

export interface Scenario {
  readonly title: string;
  readonly seed: number;
  readonly gradient?: GradientKind;
  readonly outputs?: number;
  readonly slots: readonly number[];
  /** Features whose splits are categorical. */
  readonly categorical?: readonly number[];
  /** Rows of each block; negative: an evaluation block. */
  readonly blocks: readonly number[];
  readonly firstRow?: number;
  readonly missing?: number;
  readonly weighted?: boolean;
  /** Gradients have two limbs. */
  readonly wide?: boolean;
  readonly threshold?: number;
  readonly baseMargins?: boolean;
  readonly depth?: number;
  readonly rounds?: number;
  /** Largest leaf value in margin units. */
  readonly leaf?: number;
  /** Splits of the last level are left out of the tree, as pruning does. */
  readonly pruned?: boolean;
}

const many = [1, 2, 256, 17, 33, 3, 100, 255, 64];

export const scenarios: readonly Scenario[] = [
  ...[0, 1, 63, 64, 65, 257].map((rows) => ({
    title: `${rows} rows`,
    seed: rows,
    slots: [5, 9, 3],
    blocks: [rows],
  })),
  ...[1, 2, 3, 4, 5, 7, 8, 9].map((features) => ({
    title: `${features} features`,
    seed: 100 + features,
    slots: many.slice(0, features),
    blocks: [130],
    missing: 0.1,
  })),
  {
    title: 'several blocks, one empty',
    seed: 21,
    slots: [9, 256, 4],
    blocks: [64, 1, 0, 257, 130],
    missing: 0.05,
  },
  {
    title: 'slots of one feature from 1 to 256',
    seed: 22,
    slots: [1, 2, 31, 32, 33, 64, 128, 255, 256],
    blocks: [257],
  },
  { title: 'everything missing', seed: 23, slots: [1, 1, 5], blocks: [65], missing: 1 },
  { title: 'weights', seed: 24, slots: [12, 40], blocks: [257, 63], weighted: true },
  {
    title: 'categories',
    seed: 25,
    slots: [256, 40, 7],
    categorical: [0, 2],
    blocks: [257, 65],
    missing: 0.1,
  },
  { title: 'thirty-two nodes and more', seed: 26, slots: [20, 30, 256, 10, 5], blocks: [257, 257], depth: 6 },
  {
    title: 'a pruned tree, evaluation blocks',
    seed: 27,
    slots: [9, 30, 12],
    blocks: [130, -65, 64, -257],
    pruned: true,
  },
  {
    title: 'a sample of half the rows',
    seed: 28,
    slots: [9, 30],
    blocks: [257, 64],
    threshold: 2 ** 31,
    rounds: 3,
  },
  { title: 'a sample of no rows', seed: 29, slots: [9, 30], blocks: [65], threshold: 0 },
  {
    title: 'row ids beyond 2^31',
    seed: 30,
    slots: [9],
    blocks: [65],
    firstRow: 3_000_000_000,
    threshold: 2 ** 30,
  },
  {
    title: 'margins far beyond saturation',
    seed: 31,
    slots: [9, 8],
    blocks: [257],
    leaf: 2 ** 26,
    rounds: 3,
  },
  {
    title: 'margins at their limit',
    seed: 32,
    slots: [9, 8],
    blocks: [130],
    leaf: 2 ** 29,
    baseMargins: true,
  },
  {
    title: 'softmax of three classes',
    seed: 33,
    gradient: 'softmax',
    outputs: 3,
    slots: [9, 30, 256, 4, 5],
    categorical: [1],
    blocks: [257, 64, -65],
    weighted: true,
    missing: 0.1,
    leaf: 2 ** 21,
    rounds: 3,
  },
  {
    title: 'softmax of 130 classes, whose exponentials are shortened',
    seed: 34,
    gradient: 'softmax',
    outputs: 130,
    slots: [9],
    blocks: [33],
    depth: 1,
    rounds: 1,
    baseMargins: true,
  },
  {
    title: 'squared error with labels of every size',
    seed: 35,
    gradient: 'squaredError',
    slots: [9, 30, 12],
    blocks: [257, -65],
    weighted: true,
    leaf: 2 ** 27,
    rounds: 3,
  },
  {
    title: 'twenty thousand rows in few slots, so that sums carry into the high limb',
    seed: 36,
    gradient: 'squaredError',
    slots: [3, 2, 3, 2, 2],
    blocks: [20_000],
    depth: 2,
  },
  ...(['logistic', 'squaredError'] as const).flatMap((gradient, i) =>
    [false, true].map((weighted, k) => ({
      title: `two limbs, ${gradient}, ${weighted ? 'weights' : 'no weights'}`,
      seed: 40 + 2 * i + k,
      gradient,
      weighted,
      wide: true,
      slots: [9, 30, 256, 4, 5],
      blocks: [257, 64, -65],
      missing: 0.1,
      threshold: 2 ** 32 - 2 ** 29,
      rounds: 3,
    })),
  ),
  {
    title: 'two limbs, softmax of three classes',
    seed: 44,
    gradient: 'softmax',
    outputs: 3,
    slots: [9, 30],
    blocks: [257, -65],
    weighted: true,
    wide: true,
  },
  {
    title: 'two limbs, margins at and beyond their limit',
    seed: 45,
    gradient: 'squaredError',
    slots: [9, 8],
    blocks: [257, -65],
    leaf: 2 ** 28,
    baseMargins: true,
    wide: true,
    rounds: 4,
  },
  {
    title: 'more rows than one workgroup sums',
    seed: 37,
    slots: [256, 255, 3],
    blocks: [9000, 8192],
    depth: 3,
  },
];

export function specOf(scenario: Scenario): DeviceSpec {
  const { gradient = 'logistic', outputs = 1, slots, threshold = 2 ** 32, seed } = scenario;
  return {
    gradient,
    outputs,
    marginFractionBits: 20,
    baseMargin: -1_234_567,
    ...(scenario.wide && { isWide: true, baseMarginLow: 7_654_321 }),
    slotsPerFeature: slots,
    sampling: { seed: Math.imul(seed, 0x9e3779b1) >>> 0, threshold },
  };
}

export interface RoledBlock {
  readonly role: 'train' | 'evaluate';
  readonly block: BinnedBlock;
}

export function blocksOf(scenario: Scenario): RoledBlock[] {
  const { slots, missing = 0, weighted = false, baseMargins = false, gradient, outputs = 1 } = scenario;
  const random = seededNumbers(scenario.seed);
  let firstRow = scenario.firstRow ?? 0;
  return scenario.blocks.map((signedRows) => {
    const rows = Math.abs(signedRows);
    const bins = slots.map((count) =>
      Uint8Array.from({ length: rows }, () =>
        count === 1 || random.next() < missing ? 255 : random.below(count - 1),
      ),
    );
    const labels = Int32Array.from({ length: rows }, () => {
      if (gradient === 'squaredError') return Math.round((random.next() * 2 - 1) * 2 ** 28);
      return random.below(gradient === 'softmax' ? outputs : 2);
    });
    const block: BinnedBlock = {
      firstRow,
      rows,
      bins,
      labels,
      ...(weighted && {
        weights: Uint32Array.from({ length: rows }, () =>
          random.next() < 0.1 ? 0 : random.below(2 ** 24 + 1),
        ),
      }),
      ...(baseMargins && {
        baseMargins: Int32Array.from({ length: rows * outputs }, () =>
          Math.round((random.next() * 2 - 1) * 2 ** (18 + random.below(12))),
        ),
      }),
    };
    const low = scenario.wide ? { low: lowLimbs(scenario, rows, random) } : {};
    firstRow += rows;
    return { role: signedRows < 0 ? 'evaluate' : 'train', block: { ...block, ...low } };
  });
}

/** The ends of the range as well; weights that are nothing but a low limb are among them. */
function lowLimbs(scenario: Scenario, rows: number, random: SeededNumbers): LowLimbs {
  const { gradient, weighted, baseMargins } = scenario;
  const half = 2 ** 23;
  const signed = (): Int32Array =>
    Int32Array.from({ length: rows }, () => (random.next() < 0.1 ? -half : random.below(2 * half) - half));
  return {
    ...(weighted && { weights: Uint32Array.from({ length: rows }, () => random.below(2 * half)) }),
    ...(gradient === 'squaredError' && { labels: signed() }),
    ...(gradient === 'squaredError' && baseMargins && { baseMargins: signed() }),
  };
}
