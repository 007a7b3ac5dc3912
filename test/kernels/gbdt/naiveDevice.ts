// The oracle of the contract suite: a tree device written from the interface's words in BigInt and plain objects, with
// no code of the kernels. Slow and obvious.

import type { BinnedTree } from '../../../kernels/gbdt/binnedTree.ts';
import type {
  BinnedBlock,
  DeviceSpec,
  LoadedBlock,
  NodeSplit,
  TreeDevice,
} from '../../../kernels/gbdt/treeDevice.ts';

const ONE = 1n << 24n;
const MARGIN_LIMIT = 1n << 29n;

interface NaiveBlock extends LoadedBlock {
  readonly source: BinnedBlock;
  /** [row][output]. */
  readonly margins: bigint[][];
  gradients: [bigint, bigint][];
  lowGradients: [bigint, bigint][];
  nodes: number[];
}

const abs = (x: bigint): bigint => (x < 0n ? -x : x);
const least = (a: bigint, b: bigint): bigint => (a < b ? a : b);

/** round(a · b / 2^24), halves away from zero. */
function times(a: bigint, b: bigint): bigint {
  const size = (abs(a) * b + (1n << 23n)) >> 24n;
  return a < 0n ? -size : size;
}

/** The limbs of a number: its multiple of 2^24 that is nearest (halves upwards), and the rest. */
function limbs(x: bigint): [high: bigint, low: bigint] {
  const high = (x + (1n << 23n)) >> 24n;
  return [high, x - (high << 24n)];
}

/** f on the grid of 1/256, integers of 2^-24, linear in between; x in 2^-20. */
function interpolate(f: (x: number) => number, x: bigint): bigint {
  const at = (i: bigint): bigint => BigInt(Math.round(2 ** 24 * f(Number(i) / 256)));
  const [start, end] = [at(x >> 12n), at((x >> 12n) + 1n)];
  const rise = (abs(end - start) * (x & 4095n) + 2048n) >> 12n;
  return end < start ? start - rise : start + rise;
}

function sigmoid(margin: bigint): bigint {
  const p = interpolate((x) => 1 / (1 + Math.exp(-x)), least(abs(margin), (16n << 20n) - 1n));
  const top = BigInt(Math.round(2 ** 24 / (1 + Math.exp(-16))));
  const size = abs(margin) >= 16n << 20n ? top : p;
  return margin < 0n ? ONE - size : size;
}

function softmax(margins: bigint[], output: number): bigint {
  const highest = margins.reduce((a, b) => (a > b ? a : b));
  let shift = 0n;
  while (BigInt(margins.length) * (ONE >> shift) >= 1n << 31n) shift += 1n;
  const parts = margins.map((m) =>
    highest - m >= 18n << 20n ? 0n : interpolate((x) => Math.exp(-x), highest - m) >> shift,
  );
  const total = parts.reduce((a, b) => a + b);
  return ((parts[output] ?? 0n) * ONE + total / 2n) / total;
}

function mix(value: number): number {
  let x = BigInt(value);
  x = ((x ^ (x >> 16n)) * 0x7feb352dn) & 0xffffffffn;
  x = ((x ^ (x >> 15n)) * 0x846ca68bn) & 0xffffffffn;
  return Number(x ^ (x >> 16n));
}

function hash(seed: number, round: number, row: number): number {
  const inner = (BigInt(mix(seed)) + BigInt(round) * 0x9e3779b1n) & 0xffffffffn;
  return mix(Number((BigInt(mix(Number(inner))) + BigInt(row) * 0x85ebca77n) & 0xffffffffn));
}

function childOf(split: NodeSplit, bin: number): number {
  if (bin === 255) return split.missingGoesLeft ? split.left : split.right;
  if (split.categories === undefined) return bin <= split.splitBin ? split.left : split.right;
  return ((split.categories[bin >> 5] ?? 0) >>> (bin & 31)) & 1 ? split.right : split.left;
}

export function createNaiveDevice(spec: DeviceSpec): TreeDevice {
  const blocks: NaiveBlock[] = [];
  const own = (block: LoadedBlock): NaiveBlock => block as NaiveBlock;
  const trained = (): NaiveBlock[] => blocks.filter((block) => block.role === 'train');
  const firstSlot = spec.slotsPerFeature.map((_, f) =>
    spec.slotsPerFeature.slice(0, f).reduce((a, b) => a + b, 0),
  );
  const slots = spec.slotsPerFeature.reduce((a, b) => a + b, 0);

  const hasWideMargins = spec.isWide === true && spec.gradient === 'squaredError';
  const limit = hasWideMargins ? MARGIN_LIMIT << 24n : MARGIN_LIMIT;
  /** High and low limbs of a weighted number whose own limbs are given. */
  const weighWide = (block: NaiveBlock, row: number, high: bigint, low: bigint): [bigint, bigint] => {
    if (!block.source.weights) return [high, low];
    const weight = BigInt(block.source.weights[row] ?? 0);
    const weighed = times(high, weight);
    const rest = high * weight - (weighed << 24n);
    return [weighed, rest + times(high, BigInt(block.source.low?.weights?.[row] ?? 0)) + times(low, weight)];
  };
  /** [g, h, low limb of g, low limb of h] */
  const wideGradient = (block: NaiveBlock, row: number, round: number, output: number): bigint[] => {
    const { seed, threshold } = spec.sampling;
    if (hash(seed, round, block.firstRow + row) >= threshold) return [0n, 0n, 0n, 0n];
    const { source } = block;
    if (hasWideMargins) {
      const [high, low] = limbs(block.margins[row]?.[0] ?? 0n);
      const g = [
        high - BigInt(source.labels[row] ?? 0),
        low - BigInt(source.low?.labels?.[row] ?? 0),
      ] as const;
      const [gHigh, gLow] = weighWide(block, row, ...g);
      const [hHigh, hLow] = weighWide(block, row, ONE, 0n);
      return [gHigh, hHigh, gLow, hLow];
    }
    const unweighted: NaiveBlock = { ...block, source: { ...source, weights: Uint32Array.of() } };
    delete (unweighted.source as { weights?: Uint32Array }).weights;
    const [g, h] = gradient(unweighted, row, round, output);
    const [gHigh, gLow] = weighWide(block, row, g, 0n);
    const [hHigh, hLow] = weighWide(block, row, h, 0n);
    return [gHigh, hHigh, gLow, hLow];
  };
  const gradient = (block: NaiveBlock, row: number, round: number, output: number): [bigint, bigint] => {
    const { seed, threshold } = spec.sampling;
    if (hash(seed, round, block.firstRow + row) >= threshold) return [0n, 0n];
    const margins = block.margins[row] ?? [];
    const label = block.source.labels[row] ?? 0;
    const weight = BigInt(block.source.weights?.[row] ?? ONE);
    let g = (margins[0] ?? 0n) - BigInt(label);
    let h = ONE;
    if (spec.gradient !== 'squaredError') {
      const logistic = spec.gradient === 'logistic';
      const p = logistic ? sigmoid(margins[0] ?? 0n) : softmax(margins, output);
      const isLabel = logistic ? label === 1 : label === output;
      g = p - (isLabel ? ONE : 0n);
      h = times(p, ONE - p);
      if (h < 1n) h = 1n;
      if (!logistic) h *= 2n;
    }
    return [times(g, weight), times(h, weight)];
  };

  const baseOf = (source: BinnedBlock, at: number): bigint => {
    const high = BigInt(source.baseMargins?.[at] ?? spec.baseMargin);
    if (!hasWideMargins) return high;
    return (
      (high << 24n) +
      BigInt(source.baseMargins ? (source.low?.baseMargins?.[at] ?? 0) : (spec.baseMarginLow ?? 0))
    );
  };

  return {
    description: { kind: 'cpu', name: 'naive' },
    lost: new Promise(() => {}),
    async load(source, role) {
      const margins = Array.from({ length: source.rows }, (_, row) =>
        Array.from({ length: spec.outputs }, (_, output) => baseOf(source, output * source.rows + row)),
      );
      const { firstRow, rows } = source;
      const block = { firstRow, rows, role, source, margins, gradients: [], lowGradients: [], nodes: [] };
      blocks.push(block);
      return block;
    },
    unload(block) {
      blocks.splice(blocks.indexOf(own(block)), 1);
    },
    beginTree(round, output) {
      for (const block of trained()) {
        if (spec.isWide) {
          const all = block.margins.map((_, row) => wideGradient(block, row, round, output));
          block.gradients = all.map(([g = 0n, h = 0n]) => [g, h]);
          block.lowGradients = all.map(([, , g = 0n, h = 0n]) => [g, h]);
        } else block.gradients = block.margins.map((_, row) => gradient(block, row, round, output));
        block.nodes = block.margins.map(() => 0);
      }
    },
    async buildHistograms(nodes, limb = 'high') {
      const sums = Array.from({ length: nodes.length * slots * 2 }, () => 0n);
      for (const block of trained()) {
        block.nodes.forEach((node, row) => {
          const place = nodes.indexOf(node);
          if (place < 0) return;
          spec.slotsPerFeature.forEach((count, feature) => {
            const bin = block.source.bins[feature]?.[row] ?? 0;
            const slot = (firstSlot[feature] ?? 0) + (bin === 255 ? count - 1 : bin);
            const cell = 2 * (place * slots + slot);
            const [g, h] = (limb === 'high' ? block.gradients : block.lowGradients)[row] ?? [0n, 0n];
            sums[cell] = (sums[cell] ?? 0n) + g;
            sums[cell + 1] = (sums[cell + 1] ?? 0n) + h;
          });
        });
      }
      return Float64Array.from(sums, Number);
    },
    applySplits(splits) {
      for (const block of trained()) {
        block.nodes = block.nodes.map((node, row) => {
          const split = splits.find((candidate) => candidate.node === node);
          return split === undefined ? node : childOf(split, block.source.bins[split.feature]?.[row] ?? 0);
        });
      }
    },
    applyTrees(targets, trees) {
      trees.forEach((tree, i) => {
        const output = i % spec.outputs;
        for (const block of targets.map(own)) {
          block.margins.forEach((margins, row) => {
            const value = valueOf(
              tree,
              hasWideMargins ? spec.marginFractionBits : undefined,
              (feature) => block.source.bins[feature]?.[row] ?? 0,
            );
            const sum = (margins[output] ?? 0n) + value;
            margins[output] = sum > limit ? limit : sum < -limit ? -limit : sum;
          });
        }
      });
    },
    async readMargins(block) {
      const { margins } = own(block);
      if (hasWideMargins) {
        const both = margins.map(([margin = 0n]) => limbs(margin).map(Number));
        return Int32Array.from([...both.map(([high]) => high!), ...both.map(([, low]) => low!)]);
      }
      return Int32Array.from(
        Array.from({ length: spec.outputs }, (_, output) => margins.map((row) => Number(row[output]))).flat(),
      );
    },
    async close() {
      blocks.length = 0;
    },
  };
}

function valueOf(
  tree: BinnedTree,
  wideFractionBits: number | undefined,
  binOf: (feature: number) => number,
): bigint {
  let node = 0;
  while ((tree.left[node] ?? -1) >= 0) {
    const numeric = {
      node,
      left: tree.left[node] ?? 0,
      right: tree.right[node] ?? 0,
      feature: tree.feature[node] ?? 0,
      splitBin: tree.splitBin[node] ?? 0,
      missingGoesLeft: tree.missingGoesLeft[node] === 1,
    };
    const categories = tree.categories.slice(8 * node, 8 * node + 8);
    node = childOf(
      tree.isCategorical[node] === 1 ? { ...numeric, categories } : numeric,
      binOf(numeric.feature),
    );
  }
  if (wideFractionBits === undefined) return BigInt(tree.valueFixed[node] ?? 0);
  return BigInt(Math.round((tree.value[node] ?? 0) * 2 ** (wideFractionBits + 24)));
}
