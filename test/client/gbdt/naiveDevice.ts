// A tree device written as plainly as the interface reads: a second implementation to hold the fast ones against.

import { ONE, addToMargin, multiplyShift, multiplyShiftSigned } from '../../../kernels/gbdt/fixedPoint.ts';
import { buildGradientTables } from '../../../kernels/gbdt/gradients.ts';
import { gradientFormulas } from '../../../kernels/gbdt/ops/gradientFormulas.ts';
import { rowHash } from '../../../kernels/gbdt/rowHash.ts';
import { MISSING_BIN } from '../../../kernels/gbdt/treeDevice.ts';
import type {
  BinnedBlock,
  DeviceSpec,
  LoadedBlock,
  NodeSplit,
  TreeDevice,
} from '../../../kernels/gbdt/treeDevice.ts';

interface NaiveBlock extends LoadedBlock {
  readonly data: BinnedBlock;
  readonly margins: Int32Array;
  readonly g: number[];
  readonly h: number[];
  readonly node: number[];
}

const hasCategory = (words: ArrayLike<number>, at: number, category: number): boolean =>
  ((words[at + (category >> 5)]! >>> (category & 31)) & 1) === 1;

export function createNaiveDevice(spec: DeviceSpec): TreeDevice {
  const tables = buildGradientTables();
  const blocks: NaiveBlock[] = [];
  const training = (): NaiveBlock[] => blocks.filter(({ role }) => role === 'train');
  const first = spec.slotsPerFeature.map((_, f) =>
    spec.slotsPerFeature.slice(0, f).reduce((sum, n) => sum + n, 0),
  );
  const slots = spec.slotsPerFeature.reduce((sum, n) => sum + n, 0);

  const moveRows = (
    block: NaiveBlock,
    { node, left, right, feature, splitBin, categories, missingGoesLeft }: NodeSplit,
  ): void => {
    for (let row = 0; row < block.rows; row += 1) {
      if (block.node[row] !== node) continue;
      const bin = block.data.bins[feature]![row]!;
      const goesLeft =
        bin === MISSING_BIN
          ? missingGoesLeft
          : categories === undefined
            ? bin <= splitBin
            : !hasCategory(categories, 0, bin);
      block.node[row] = goesLeft ? left : right;
    }
  };

  return {
    description: { kind: 'cpu', name: 'plain' },
    lost: new Promise(() => undefined),
    async load(data, role) {
      const { firstRow, rows } = data;
      const margins = data.baseMargins?.slice() ?? new Int32Array(rows * spec.outputs).fill(spec.baseMargin);
      const block = { firstRow, rows, role, data, margins, g: [], h: [], node: [] };
      blocks.push(block);
      return block;
    },
    unload(block) {
      blocks.splice(blocks.indexOf(block as NaiveBlock), 1);
    },
    beginTree(round, output) {
      for (const block of training()) {
        const { rows, margins, data } = block;
        const seen = { rows, margins, labels: data.labels, outputs: spec.outputs };
        for (let row = 0; row < block.rows; row += 1) {
          const [g, h] = gradientFormulas[spec.gradient].ofRow(tables, seen, row, output);
          const weight = block.data.weights?.[row] ?? ONE;
          const drawn = rowHash(spec.sampling.seed, round, block.firstRow + row) < spec.sampling.threshold;
          block.g[row] = drawn ? multiplyShiftSigned(g, weight) : 0;
          block.h[row] = drawn ? multiplyShift(h, weight) : 0;
          block.node[row] = 0;
        }
      }
    },
    async buildHistograms(nodes) {
      const sums = new Float64Array(nodes.length * slots * 2);
      for (const block of training()) {
        for (let row = 0; row < block.rows; row += 1) {
          const i = nodes.indexOf(block.node[row]!);
          if (i === -1) continue;
          block.data.bins.forEach((column, f) => {
            const slot = column[row] === MISSING_BIN ? spec.slotsPerFeature[f]! - 1 : column[row]!;
            const at = 2 * (i * slots + first[f]! + slot);
            sums[at]! += block.g[row]!;
            sums[at + 1]! += block.h[row]!;
          });
        }
      }
      return sums;
    },
    applySplits(splits) {
      for (const block of training()) for (const split of splits) moveRows(block, split);
    },
    applyTrees(handles, trees) {
      for (const handle of handles) {
        const block = handle as NaiveBlock;
        trees.forEach((tree, t) => {
          const base = (t % spec.outputs) * block.rows;
          for (let row = 0; row < block.rows; row += 1) {
            let node = 0;
            while (tree.left[node] !== -1) {
              const bin = block.data.bins[tree.feature[node]!]![row]!;
              const goesLeft =
                bin === MISSING_BIN
                  ? tree.missingGoesLeft[node] === 1
                  : tree.isCategorical[node] === 1
                    ? !hasCategory(tree.categories, node * 8, bin)
                    : bin <= tree.splitBin[node]!;
              node = goesLeft ? tree.left[node]! : tree.right[node]!;
            }
            block.margins[base + row] = addToMargin(block.margins[base + row]!, tree.valueFixed[node]!);
          }
        });
      }
    },
    async readMargins(block) {
      return (block as NaiveBlock).margins.slice();
    },
    async close() {
      blocks.length = 0;
    },
  };
}
