// Split search in WebAssembly against the plain one, to the last bit.

import { afterAll, describe, expect, it } from 'vitest';
import { searchSplits } from '../../../client/gbdt/searchSplits.ts';
import type { UnsplitNode } from '../../../client/gbdt/searchSplits.ts';
import { WasmSplitSearch } from '../../../kernels/gbdt/wasm/wasmSplitSearch.ts';
import { treesModule } from '../../../kernels/wasm/built/trees.ts';
import { WasmRuntime } from '../../../kernels/wasm/wasmRuntime.ts';
import { buildTrainSpec } from '../../../shared/gbdt/buildTrainSpec.ts';
import { resolveParams } from '../../../shared/gbdt/params.ts';
import { SplitScore, UNBOUNDED } from '../../../shared/gbdt/splitScore.ts';
import type { TrainSpec } from '../../../shared/gbdt/trainSpec.ts';
import { jobThreads } from '../../setup/jobThreads.ts';
import { seededNumbers } from '../../kernels/seededNumbers.ts';
import type { SeededNumbers } from '../../kernels/seededNumbers.ts';

interface Kind {
  readonly title: string;
  readonly params?: Record<string, unknown>;
  readonly bins: readonly number[];
  readonly categorical?: (feature: number) => boolean;
  readonly missing?: boolean;
  readonly wide?: boolean;
  /** Sums are small numbers, so that many gains are equal. */
  readonly coarse?: boolean;
  readonly sampled?: boolean;
}

const many = [1, 2, 3, 17, 64, 255, 5, 90, 33];
const kinds: readonly Kind[] = [
  { title: 'numbers', bins: many },
  { title: 'numbers and missing values', bins: many, missing: true },
  {
    title: 'ties',
    bins: [8, 8, 8, 8],
    coarse: true,
    missing: true,
    params: { min_child_weight: 0, lambda: 0 },
  },
  { title: 'categories', bins: many, categorical: () => true, missing: true },
  {
    title: 'tied categories',
    bins: [6, 6, 40],
    categorical: () => true,
    coarse: true,
    params: { lambda: 0 },
  },
  {
    title: 'few categories of many',
    bins: [3, 200],
    categorical: () => true,
    params: { max_cat_threshold: 9 },
  },
  {
    title: 'categories one by one',
    bins: [3, 9, 30],
    categorical: (f) => f > 0,
    missing: true,
    params: { max_cat_to_onehot: 64 },
  },
  { title: 'alpha and no lambda', bins: many, params: { alpha: 3.5, lambda: 0 } },
  { title: 'max_delta_step', bins: many, missing: true, params: { max_delta_step: 0.4 } },
  {
    title: 'monotone features',
    bins: [20, 30, 9],
    missing: true,
    params: { monotone_constraints: '(1,-1,0)' },
  },
  { title: 'two limbs', bins: many, wide: true, missing: true },
  { title: 'two limbs and categories', bins: [9, 200], wide: true, categorical: () => true },
  { title: 'some features alone', bins: many, sampled: true },
  { title: 'enough features for several tasks a node', bins: Array<number>(80).fill(120), sampled: true },
];

function specOf({ bins, params, categorical = () => false }: Kind): TrainSpec {
  return buildTrainSpec({
    params: resolveParams({ objective: 'binary:logistic', ...params }),
    numBoostRound: 1,
    features: bins.map((count, f) => ({
      name: `f${f}`,
      cuts: {
        cuts: Float32Array.from({ length: count }, (_, i) => i + 1),
        belowAll: -1,
        categorical: categorical(f),
      },
    })),
    target: { maxAbsLabel: 1, maxWeight: 1 },
    trainRows: 100,
    evaluationSets: [],
  });
}

function sumsOf(kind: Kind, random: SeededNumbers, unit: number): Float64Array {
  const parts = kind.bins.map((bins) =>
    Array.from({ length: bins + 1 }, (_, slot) => {
      const isEmpty = random.next() < 0.2 || (slot === bins && kind.missing !== true);
      if (isEmpty) return [0, 0];
      if (kind.coarse === true) return [(random.below(5) - 2) * unit, random.below(3) * unit];
      return [Math.round((random.next() - 0.5) * 40 * unit), Math.round(random.next() * 8 * unit)];
    }).flat(),
  );
  return Float64Array.from(parts.flat());
}

function nodeOf(kind: Kind, spec: TrainSpec, score: SplitScore, random: SeededNumbers): UnsplitNode {
  const sums = sumsOf(kind, random, 2 ** 24);
  const low = kind.wide === true ? sumsOf(kind, random, 2 ** 20) : undefined;
  // As if all features had the sums of the first, and some rows more on the other side.
  const total = (of: Float64Array, k: number): number => {
    let sum = 0;
    for (let slot = 0; slot <= kind.bins[0]!; slot += 1) sum += of[2 * slot + k]!;
    return 3 * sum;
  };
  const g = total(sums, 0);
  const h = total(sums, 1) + 2 ** 26;
  const middle = random.next() - 0.5;
  const isBounded = spec.features.some(({ monotone }) => monotone !== 0);
  const bounds = isBounded
    ? { lower: Math.fround(middle - 0.3), upper: Math.fround(middle + 0.3) }
    : UNBOUNDED;
  return {
    g,
    h,
    ...(low && { low: { g: total(low, 0), h: total(low, 1) } }),
    gain: score.gain(g, h, score.weight(g, h, bounds)),
    bounds,
    histogram: { sums, low },
  };
}

describe('the split search in WebAssembly', () => {
  const opened = [1, 3].map((threads) => WasmRuntime.open(treesModule, jobThreads(threads)));
  afterAll(async () => (await Promise.all(opened)).forEach((runtime) => runtime.close()));

  it.each(kinds.map((kind) => [kind.title, kind] as const))(
    'finds what the plain one finds: %s',
    async (_, kind) => {
      const spec = specOf(kind);
      const score = new SplitScore(spec);
      const random = seededNumbers(kind.title.length);
      const block = { spec, score, first: 0, end: spec.features.length };
      let found = 0;
      for (const runtime of await Promise.all(opened)) {
        const search = new WasmSplitSearch(runtime);
        for (let level = 0; level < 12; level += 1) {
          const nodes = Array.from({ length: 1 + random.below(9) }, () => nodeOf(kind, spec, score, random));
          const choices = new Map(nodes.map((node) => [node, random.below(2 ** 30)]));
          const allowed = (node: UnsplitNode) => (feature: number) =>
            kind.sampled !== true || ((choices.get(node)! >> (feature % 30)) & 1) === 1;
          const expected = searchSplits(undefined, block, nodes, allowed);
          expect(searchSplits(search, block, nodes, allowed)).toEqual(expected);
          found += expected.filter((split) => split !== undefined).length;
        }
      }
      expect(found).toBeGreaterThan(20);
    },
  );
});
