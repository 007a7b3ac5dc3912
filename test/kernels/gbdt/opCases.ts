// Inputs for each tree op: seeded, with the sizes around a workgroup and the values at the ends of their ranges.

import type { OpInputs } from '../../../kernels/gpu/op.ts';
import { NO_NODE, WORDS_PER_SLOT } from '../../../kernels/gbdt/ops/histogramOp.ts';
import { tileJobs } from '../../../kernels/gbdt/ops/histogramTiled.ts';
import { LEAF, WORDS_PER_NODE } from '../../../kernels/gbdt/ops/nodeTable.ts';
import { buildExpTable, buildSigmoidTable, softmaxShift } from '../../../kernels/gbdt/probabilityTable.ts';
import { seededNumbers } from '../seededNumbers.ts';

export interface OpCase extends OpInputs {
  readonly title: string;
  /** Invocations, or workgroups in x and y. */
  readonly grid: number | readonly [number, number];
}

const sizes = [1, 63, 64, 65, 257];
const random = seededNumbers(99);
const words = (length: number, value: (i: number) => number) =>
  Uint32Array.from({ length }, (_, i) => value(i));
const signed = (length: number, value: (i: number) => number) =>
  Int32Array.from({ length }, (_, i) => value(i));
/** Both signs, every magnitude up to 2^bits, the ends included. */
const wide = (bits: number): number => {
  const draw = random.next();
  if (draw < 0.05) return 0;
  const size = draw < 0.1 ? 2 ** bits : Math.floor(2 ** (random.next() * bits));
  return random.next() < 0.5 ? -size : size;
};

/** High limbs of a margin within its limit, whatever its low limb is. */
const below = (bits: number): number => Math.max(1 - 2 ** bits, Math.min(2 ** bits - 1, wide(bits)));
const lowLimb = (): number => random.below(2 ** 24) - 2 ** 23;

function gradientCase(name: string, rows: number, outputs: number, weighted: boolean): OpCase {
  const squared = name.startsWith('gradientSquaredError');
  const isWide = name.endsWith('Wide');
  const limbs = isWide && squared ? 2 : 1;
  /** High limbs, then low ones. */
  const both = (count: number, high: () => number, low: () => number) => (i: number) =>
    i < count ? high() : low();
  return {
    title: `${rows} rows, ${outputs} outputs, ${weighted ? 'weights' : 'no weights'}`,
    storage: {
      margins: signed(
        rows * outputs * limbs,
        both(rows * outputs, () => wide(29), lowLimb),
      ),
      labels: signed(
        rows * limbs,
        both(rows, () => (squared ? wide(28) : random.below(Math.max(2, outputs))), lowLimb),
      ),
      weights: words(
        weighted ? rows * (isWide ? 2 : 1) : 1,
        both(
          rows,
          () => Math.abs(wide(24)),
          () => random.below(2 ** 24),
        ),
      ),
      ...(name.startsWith('gradientLogistic') && { sigmoidTable: buildSigmoidTable() }),
      ...(name.startsWith('gradientSoftmax') && { expTable: buildExpTable() }),
      gradients: new Int32Array(2 * rows),
      ...(isWide && { lowGradients: new Int32Array(2 * rows) }),
      positions: words(rows, () => 7),
    },
    uniforms: {
      block: { rows, firstRow: 4_000_000_000, weighted: weighted ? 1 : 0 },
      call: {
        output: outputs - 1,
        outputs,
        shift: softmaxShift(outputs),
        round: 3,
        seed: 0xdeadbeef,
        sampled: weighted ? 1 : 0,
        threshold: 0xc0000000,
      },
    },
    grid: rows,
  };
}

/** Rows of a workgroup of the tiled kernel in these cases: each thread takes two. */
const ROWS_PER_GROUP = 512;

function histogramCase(name: string, rows: number, nodes: number): OpCase {
  const slots = [256, 3, 1, 17, 255];
  const firstSlot = words(slots.length + 1, (i) => slots.slice(0, i).reduce((a, b) => a + b, 0));
  const all = firstSlot[slots.length] ?? 0;
  const code = (feature: number): number => random.below(slots[feature] ?? 1);
  const jobs = tileJobs(firstSlot, nodes);
  const tiled = name === 'histogramTiled';
  return {
    title: `${rows} rows at ${nodes} nodes`,
    storage: {
      positions: words(rows, () => random.below(2 * nodes + 3)),
      gradients: signed(2 * rows, () => wide(30)),
      bins: words(2 * rows, (i) =>
        i < rows ? (code(0) | (code(1) << 8) | (code(2) << 16) | (code(3) << 24)) >>> 0 : code(4),
      ),
      // Odd nodes are asked for, last first.
      nodeIndex: words(2 * nodes, (node) => (node % 2 === 1 ? nodes - 1 - (node >> 1) : NO_NODE)),
      firstSlot,
      // Something is in the cells already: the low limbs are about to carry.
      histogram: words(nodes * all * WORDS_PER_SLOT, (i) => (i % 2 === 0 ? 0xffff0000 : 5)),
      ...(tiled && { jobs }),
    },
    uniforms: {
      block: { rows },
      shape: { features: slots.length, slots: all },
      ...(tiled && { tiling: { rowsPerGroup: ROWS_PER_GROUP } }),
    },
    grid: tiled ? [Math.ceil(rows / ROWS_PER_GROUP), jobs.length / 4] : rows,
  };
}

function nodeTable(nodes: number, depthFirst: boolean): Int32Array<ArrayBuffer> {
  return signed(nodes * WORDS_PER_NODE, (i) => {
    const node = Math.floor(i / WORDS_PER_NODE);
    const field = i % WORDS_PER_NODE;
    if (field === 0) return random.below(6);
    if (field === 1) return depthFirst && 2 * node + 2 >= nodes ? LEAF : 2 * node + 1;
    if (field === 2) return 2 * node + 2;
    if (field === 3) return wide(29);
    return random.below(2 ** 32);
  });
}

const bytes = (): number => random.below(2 ** 32);

function partitionCase(rows: number): OpCase {
  return {
    title: `${rows} rows`,
    storage: {
      positions: words(rows, () => random.below(9)),
      bins: words(2 * rows, bytes),
      splitIndex: Uint32Array.of(0, NO_NODE, 1, 2, NO_NODE, NO_NODE, 3),
      splits: nodeTable(4, false),
    },
    uniforms: { block: { rows } },
    grid: rows,
  };
}

function addTreeCase(rows: number, standing: number, isWide: boolean): OpCase {
  const nodes = nodeTable(31, true);
  if (isWide)
    for (let at = 4; at < nodes.length; at += WORDS_PER_NODE)
      if (nodes[at - 3] === (LEAF | 0)) nodes.set([below(29), lowLimb()], at - 1);
  return {
    title: `${rows} rows, ${standing === 1 ? 'from where they stand' : 'from the root'}`,
    storage: {
      positions: words(rows, () => random.below(31)),
      bins: words(2 * rows, bytes),
      nodes,
      margins: signed(2 * rows, (i) => (isWide && i >= rows ? lowLimb() : isWide ? below(29) : wide(29))),
    },
    uniforms: { block: { rows }, call: { output: isWide ? 0 : 1, standing } },
    grid: rows,
  };
}

export function opCases(name: string): OpCase[] {
  if (name.startsWith('gradient')) {
    const outputs = name.startsWith('gradientSoftmax') ? [1, 3, 200] : [1];
    return outputs.flatMap((k) =>
      sizes.flatMap((rows) => [gradientCase(name, rows, k, false), gradientCase(name, rows, k, true)]),
    );
  }
  if (name.startsWith('histogram')) {
    return [...sizes, ROWS_PER_GROUP + 1].flatMap((rows) =>
      [1, 5].map((nodes) => histogramCase(name, rows, nodes)),
    );
  }
  if (name === 'partition') return sizes.map(partitionCase);
  if (name.startsWith('addTree')) {
    const isWide = name === 'addTreeWide';
    return sizes.flatMap((rows) => [addTreeCase(rows, 0, isWide), addTreeCase(rows, 1, isWide)]);
  }
  throw new Error(`The op ${name} has no cases: add them to opCases.ts.`);
}
