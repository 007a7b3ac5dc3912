// Trains in this process from columns of numbers: what the preparer, the session and the trainer do, without them.

import { createCpuTreeDevice } from '../../../kernels/gbdt/devices/cpuDevice.ts';
import type { BinnedTree } from '../../../kernels/gbdt/binnedTree.ts';
import type { DeviceSpec, TreeDevice } from '../../../kernels/gbdt/treeDevice.ts';
import { boostRound } from '../../../client/gbdt/boostRound.ts';
import type { EvaluationBlock } from '../../../client/gbdt/evaluateRound.ts';
import { roundMetrics } from '../../../shared/gbdt/metric/roundMetrics.ts';
import { evaluateRound } from '../../../client/gbdt/evaluateRound.ts';
import { RoundTrace } from '../../../client/gbdt/roundTrace.ts';
import { binCategories, binColumn } from '../../../shared/gbdt/binColumn.ts';
import { buildTrainSpec } from '../../../shared/gbdt/buildTrainSpec.ts';
import type { FeatureCuts } from '../../../shared/gbdt/cuts.ts';
import { buildCategoricalCuts, buildCuts } from '../../../shared/gbdt/cuts.ts';
import { binnedBlock } from '../../../shared/gbdt/binnedBlock.ts';
import { effectiveWeight } from '../../../shared/gbdt/labels.ts';
import { baseMargins } from '../../../shared/gbdt/model/baseMargins.ts';
import { buildModel } from '../../../shared/gbdt/model/buildModel.ts';
import type { GbdtModel } from '../../../shared/gbdt/model/model.ts';
import { resolveParams } from '../../../shared/gbdt/params.ts';
import { createSketch } from '../../../shared/gbdt/quantileSketch.ts';
import type { ShardRows } from '../../../shared/gbdt/shardCodec.ts';
import type { TrainSpec } from '../../../shared/gbdt/trainSpec.ts';
import { memoryGroup } from './memoryGroup.ts';
import type { OracleData } from '../../oracle/xgboost.ts';

export interface LocalOptions {
  readonly params: Readonly<Record<string, unknown>>;
  readonly rounds: number;
  readonly sets?: Readonly<Record<string, OracleData>>;
  readonly workers?: number;
  /** Blocks that the training rows are cut into. */
  readonly blocks?: number;
  readonly continued?: GbdtModel;
  /** Sums have two limbs. */
  readonly isWide?: boolean;
  readonly createDevice?: (spec: DeviceSpec) => TreeDevice | Promise<TreeDevice>;
  /** Told after each round; members keep what they sum up then. */
  readonly onRound?: (round: TracedRound) => void;
}

export interface TracedRound {
  readonly round: number;
  readonly spec: TrainSpec;
  readonly trees: readonly BinnedTree[];
  readonly members: readonly { readonly trace: RoundTrace; readonly shards: readonly ShardRows[] }[];
}

export interface LocalTraining {
  readonly history: Record<string, number[]>;
  readonly model: GbdtModel;
  readonly spec: TrainSpec;
  readonly rounds: BinnedTree[][];
}

export async function trainLocally(train: OracleData, options: LocalOptions): Promise<LocalTraining> {
  const params = resolveParams(options.params);
  const sets = options.sets ?? {};
  const names = train.columns.map((_, f) => `f${f}`);
  const cuts = train.columns.map((column, f): FeatureCuts => {
    if (train.categorical?.[f] === true) {
      return buildCategoricalCuts(column.reduce((most, code) => (code > most ? code : most), 0) + 1);
    }
    const sketch = createSketch();
    sketch.push(column, train.weights);
    return buildCuts(sketch.summary(), params.max_bin);
  });
  const rows = train.columns[0]!.length;
  let maxAbsLabel = 0;
  let maxWeight = 0;
  for (let row = 0; row < rows; row += 1) {
    maxAbsLabel = Math.max(maxAbsLabel, Math.abs(train.labels[row]!));
    maxWeight = Math.max(maxWeight, effectiveWeight(train.weights?.[row] ?? 1, train.labels[row]!, params));
  }
  const spec = buildTrainSpec({
    params,
    numBoostRound: options.rounds,
    features: names.map((name, f) => ({ name, cuts: cuts[f]! })),
    target: { maxAbsLabel, maxWeight, ...(options.isWide && { isWide: true }) },
    trainRows: rows,
    evaluationSets: Object.keys(sets),
  });
  const toBlock = (data: OracleData): ShardRows => {
    const count = data.columns[0]!.length;
    const known = (column: Float32Array, f: number): Float32Array =>
      column.map((code) => (code >= spec.features[f]!.bins ? NaN : code));
    return {
      firstRow: 0,
      rows: count,
      bins: data.columns.map((column, f) =>
        cuts[f]!.categorical
          ? binCategories(known(column, f), spec.features[f]!.bins, { column: names[f]! })
          : binColumn(column, cuts[f]!),
      ),
      labels: Float32Array.from(data.labels),
      ...(data.weights && { weights: Float32Array.from(data.weights) }),
      ...(options.continued !== undefined && {
        baseMargins: baseMargins(options.continued, data.columns, count, spec.device),
      }),
    };
  };
  const trainBlock = toBlock(train);
  const setBlocks = Object.entries(sets).map(([name, data]) => ({
    name,
    block: data === train ? trainBlock : toBlock(data),
  }));

  const workers = options.workers ?? 1;
  const cutCount = Math.max(workers, options.blocks ?? workers);
  const members = await Promise.all(
    memoryGroup(workers).map(async (collective) => {
      const device = await (options.createDevice ?? createCpuTreeDevice)(spec.device);
      const mine = (block: ShardRows): ShardRows[] =>
        cutBlock(block, cutCount).filter((_, i) => i % workers === collective.rank);
      const held = new Map<string, EvaluationBlock[]>();
      const load = async (name: string, block: ShardRows, role: 'train' | 'evaluate'): Promise<void> => {
        const loaded: EvaluationBlock[] = [];
        for (const part of mine(block)) {
          loaded.push({
            block: await device.load(binnedBlock(part, spec), role),
            labels: part.labels,
            weights: part.weights,
          });
        }
        held.set(name, loaded);
      };
      await load('train', trainBlock, 'train');
      for (const { name, block } of setBlocks) if (name !== 'train') await load(name, block, 'evaluate');
      const slots = spec.device.slotsPerFeature.reduce((sum, count) => sum + count, 0);
      const trace = options.onRound && new RoundTrace(collective.rank, workers, slots);
      return { device, collective, held, trace, shards: mine(trainBlock) };
    }),
  );

  const history: Record<string, number[]> = {};
  const rounds: BinnedTree[][] = [];
  const measured = roundMetrics(spec);
  for (let round = 0; round < options.rounds; round += 1) {
    const results = await Promise.all(
      members.map(async ({ device, collective, held, trace }) => {
        await trace?.begin(round, new AbortController().signal);
        const trees = await boostRound({ device, collective, spec, round, trace });
        device.applyTrees(
          [...held.values()].flat().map(({ block }) => block),
          trees,
        );
        const metrics = await evaluateRound({
          device,
          collective,
          metrics: measured,
          blocks: (name) => held.get(name) ?? [],
        });
        return { trees, metrics };
      }),
    );
    rounds.push(results[0]!.trees);
    options.onRound?.({
      round,
      spec,
      trees: results[0]!.trees,
      members: members.flatMap(({ trace, shards }) => (trace ? [{ trace, shards }] : [])),
    });
    for (const [name, value] of Object.entries(results[0]!.metrics)) (history[name] ??= []).push(value);
  }
  await Promise.all(members.map(({ device }) => device.close()));
  const model = buildModel({
    params,
    features: names.map((name, f) => ({ name, cuts: cuts[f]! })),
    rounds,
    ...(options.continued !== undefined && { continued: options.continued }),
  });
  return { history, model, spec, rounds };
}

/** Cuts a block into `count` parts of unequal size. */
function cutBlock(block: ShardRows, count: number): ShardRows[] {
  const outputs = (block.baseMargins?.length ?? 0) / Math.max(1, block.rows);
  const border = (i: number): number => Math.floor((block.rows * i * (i + 1)) / (count * (count + 1)));
  return Array.from({ length: count }, (_, i) => {
    const [first, end] = [border(i), border(i + 1)];
    const margins = block.baseMargins;
    return {
      firstRow: block.firstRow + first,
      rows: end - first,
      bins: block.bins.map((column) => column.slice(first, end)),
      labels: block.labels.slice(first, end),
      ...(block.weights !== undefined && { weights: block.weights.slice(first, end) }),
      ...(margins !== undefined && {
        baseMargins: Int32Array.from({ length: (end - first) * outputs }, (_, k) => {
          const output = Math.floor(k / (end - first));
          return margins[output * block.rows + first + (k % (end - first))]!;
        }),
      }),
    };
  });
}
