// Mean and variance of each channel over a microbatch: of blocks of rows, which are then merged, or of few rows at once.

import type { Op, OpInputs } from '../../gpu/op.ts';
import { groupsFor } from '../../gpu/op.ts';
import type { KernelCall, KernelContext, KernelPlan } from '../kernelCall.ts';
import { batchUniform, examplesOf, floatsOf } from '../kernelCall.ts';
import type { NeuralOp } from '../neuralOp.ts';
import { blockMomentsKernel } from '../jobs/columnJobs.ts';
import type { ColumnBlocks, ReductionContext } from './columnBlocks.ts';
import { addUpWgsl, columnBlocks, laneWgsl, mergingBlocks } from './columnBlocks.ts';
import { spreadsOf, spreadWgsl } from './columnSpread.ts';
import { changeVectors, float, readVectors, vectorAliases, widthOf } from './vectors.ts';

/** partials: [mean, Σ(x−mean)²][block][channel]. */
function blockMoments(channels: number, rowsPerExample: number, blocks: ColumnBlocks): NeuralOp {
  const { vectors, rowsPerBlock, maxBlocks } = blocks;
  return {
    name: `batchMoments[${rowsPerExample}×${channels}]`,
    storage: [readVectors('input'), changeVectors('partials')],
    uniforms: [batchUniform],
    workgroupSize: blocks.workgroupSize,
    declarations: `${vectorAliases(blocks.width)}\n${addUpWgsl(blocks)}`,
    body: `${laneWgsl(blocks)}
  let first = group.y * ${rowsPerBlock}u;
  let end = min(first + ${rowsPerBlock}u, batch.examples * ${rowsPerExample}u);${spreadWgsl(blocks)}
  if (inside && rowLane == 0u) {
    partials[group.y * ${vectors}u + column] = mean;
    partials[(${maxBlocks}u + group.y) * ${vectors}u + column] = spread;
  }`,
    reference: (inputs) => {
      const partials = floatsOf(inputs, 'partials');
      const rows = examplesOf(inputs) * rowsPerExample;
      for (let first = 0, block = 0; first < rows; first += rowsPerBlock, block += 1) {
        const end = Math.min(first + rowsPerBlock, rows);
        const { means, spreads } = spreadsOf(floatsOf(inputs, 'input'), channels, first, end);
        partials.set(means, block * channels);
        partials.set(spreads, (maxBlocks + block) * channels);
      }
    },
    wasm: blockMomentsKernel(channels, rowsPerExample, blocks),
  };
}

/** What becomes of a mean and a variance in WGSL: moments, and the sums of the reduction. */
function takeWgsl(vectors: number, epsilon: number): string {
  // Rounding may leave a constant channel a little below 0.
  const above = 'select(variance, T(0.0f), variance < T(0.0f))';
  return `
    moments[column] = mean;
    moments[${vectors}u + column] = inverseSqrt(${above} + ${float(epsilon)});
    meanSum[column] += mean;
    varianceSum[column] += variance;`;
}

function takeReference(
  inputs: OpInputs,
  epsilon: number,
): (channel: number, mean: number, v: number) => void {
  const moments = floatsOf(inputs, 'moments');
  const meanSum = floatsOf(inputs, 'meanSum');
  const varianceSum = floatsOf(inputs, 'varianceSum');
  const channels = moments.length / 2;
  return (channel, mean, variance) => {
    moments[channel] = mean;
    moments[channels + channel] = 1 / Math.sqrt(variance + epsilon);
    meanSum[channel]! += mean;
    varianceSum[channel]! += variance;
  };
}

const takenInto = [changeVectors('moments'), changeVectors('meanSum'), changeVectors('varianceSum')];

/**
 * What an op does with the statistics it found. moments: [mean, 1/√(variance + ε)][channel]; mean and variance are added to
 * the batch statistics. When other members' rows are still to come: moments: [mean, variance][channel] and nothing is added.
 */
function ending({ channels, epsilon }: BatchNormShape, vectors: number, synchronized: boolean) {
  return synchronized
    ? {
        name: 'own',
        storage: [changeVectors('moments')],
        wgsl: `\n    moments[column] = mean;\n    moments[${vectors}u + column] = variance;`,
        reference: (inputs: OpInputs) => {
          const moments = floatsOf(inputs, 'moments');
          return (channel: number, mean: number, variance: number) => {
            moments[channel] = mean;
            moments[channels + channel] = variance;
          };
        },
      }
    : {
        name: String(epsilon),
        storage: takenInto,
        wgsl: takeWgsl(vectors, epsilon),
        reference: (inputs: OpInputs) => takeReference(inputs, epsilon),
      };
}

/** All rows in one dispatch. */
function wholeMoments(shape: BatchNormShape, blocks: ColumnBlocks, synchronized: boolean): Op {
  const { channels, rowsPerExample } = shape;
  const end = ending(shape, blocks.vectors, synchronized);
  return {
    name: `batchStatistics[${rowsPerExample}×${channels}; ${end.name} at once]`,
    storage: [readVectors('input'), ...end.storage],
    uniforms: [batchUniform],
    workgroupSize: blocks.workgroupSize,
    declarations: `${vectorAliases(blocks.width)}\n${addUpWgsl(blocks)}`,
    body: `${laneWgsl(blocks)}
  let first = 0u;
  let end = batch.examples * ${rowsPerExample}u;${spreadWgsl(blocks)}
  let variance = spread / f32(end);
  if (inside && rowLane == 0u) {${end.wgsl}
  }`,
    reference: (inputs) => {
      const take = end.reference(inputs);
      const rows = examplesOf(inputs) * rowsPerExample;
      const { means, spreads } = spreadsOf(floatsOf(inputs, 'input'), channels, 0, rows);
      for (let channel = 0; channel < channels; channel += 1) {
        take(channel, means[channel]!, spreads[channel]! / rows);
      }
    },
  };
}

/** Statistics from those of blocks. `blocks` is the second dispatch's. */
function mergeMoments(shape: BatchNormShape, blocks: ColumnBlocks, synchronized: boolean): Op {
  const { channels, rowsPerExample } = shape;
  const { vectors, rowsPerBlock, rowLanes, maxBlocks } = blocks;
  const end = ending(shape, vectors, synchronized);
  return {
    name: `batchStatistics[${rowsPerExample}×${channels}; ${end.name}]`,
    storage: [readVectors('partials'), ...end.storage],
    uniforms: [batchUniform],
    workgroupSize: blocks.workgroupSize,
    declarations: `${vectorAliases(blocks.width)}\n${addUpWgsl(blocks)}`,
    // About the first block's mean, so that one walk over the blocks is enough.
    body: `${laneWgsl(blocks)}
  let rows = batch.examples * ${rowsPerExample}u;
  let blocks = (rows + ${rowsPerBlock - 1}u) / ${rowsPerBlock}u;
  var origin = T(0.0f);
  var sum = T(0.0f);
  var squares = T(0.0f);
  if (inside) {
    origin = partials[column];
    for (var block = rowLane; block < blocks; block += ${rowLanes}u) {
      let count = f32(min(${rowsPerBlock}u, rows - block * ${rowsPerBlock}u));
      let away = partials[block * ${vectors}u + column] - origin;
      sum += away * count;
      squares += partials[(${maxBlocks}u + block) * ${vectors}u + column] + away * away * count;
    }
  }
  let shift = addUp(lane, sum) / f32(rows);
  let mean = origin + shift;
  let variance = addUp(lane, squares) / f32(rows) - shift * shift;
  if (inside && rowLane == 0u) {${end.wgsl}
  }`,
    reference: (inputs) => {
      const partials = floatsOf(inputs, 'partials');
      const take = end.reference(inputs);
      const rows = examplesOf(inputs) * rowsPerExample;
      const used = Math.ceil(rows / rowsPerBlock);
      const countOf = (block: number) => Math.min(rowsPerBlock, rows - block * rowsPerBlock);
      for (let channel = 0; channel < channels; channel += 1) {
        let mean = 0;
        for (let block = 0; block < used; block += 1) {
          mean += (partials[block * channels + channel]! * countOf(block)) / rows;
        }
        let variance = 0;
        for (let block = 0; block < used; block += 1) {
          const away = partials[block * channels + channel]! - mean;
          const spread = partials[(maxBlocks + block) * channels + channel]!;
          variance += (spread + away * away * countOf(block)) / rows;
        }
        take(channel, mean, variance);
      }
    },
  };
}

/** Statistics of all members, as mean and variance in `moments`, are taken as the statistics of this microbatch. */
function takeMoments({ channels, epsilon }: BatchNormShape): Op {
  const width = widthOf(channels);
  const vectors = channels / width;
  return {
    name: `takeMoments[${channels}; ${epsilon}]`,
    storage: takenInto,
    uniforms: [],
    workgroupSize: 64,
    declarations: vectorAliases(width),
    body: `
  let column = flat;
  if (column < ${vectors}u) {
    let mean = moments[column];
    let variance = moments[${vectors}u + column];${takeWgsl(vectors, epsilon)}
  }`,
    reference: (inputs) => {
      const moments = floatsOf(inputs, 'moments');
      const take = takeReference(inputs, epsilon);
      for (let c = 0; c < channels; c += 1) take(c, moments[c]!, moments[channels + c]!);
    },
  };
}

export interface BatchNormShape {
  readonly channels: number;
  /** Positions of an image. */
  readonly rowsPerExample: number;
  readonly epsilon: number;
}

/** Names of program buffers; the sums are in the reduction. */
export interface StatisticsBuffers {
  readonly input: string;
  readonly moments: string;
  readonly meanSum: string;
  readonly varianceSum: string;
}

/**
 * Statistics of this microbatch. `synchronized`: only its own, as mean and variance; once those of all members stand in
 * their place, `takeSynchronized` follows.
 */
export function batchNormStatistics(
  context: ReductionContext,
  shape: BatchNormShape,
  buffers: StatisticsBuffers,
  synchronized: boolean,
): KernelPlan {
  const { channels, rowsPerExample } = shape;
  const blocks = columnBlocks(channels, context.maxExamples * rowsPerExample, context.adapter);
  const merging = mergingBlocks(channels, blocks, context.adapter);
  const blocksOf = (examples: number) => Math.ceil((examples * rowsPerExample) / blocks.rowsPerBlock);
  const { layer, workspace } = context;
  const { input, moments, ...sums } = buffers;
  const targets = { moments, ...(!synchronized && sums) };
  const cost = (examples: number) => ({
    flop: 4 * examples * rowsPerExample * channels,
    bytes: 4 * examples * rowsPerExample * channels,
  });
  // Of no rows there are no statistics.
  const mergingGroups = (examples: number) => [examples === 0 ? 0 : merging.columnGroups, 1] as const;
  if (blocks.maxBlocks === 1) {
    const op = wholeMoments(shape, blocks, synchronized);
    const call: KernelCall = {
      op,
      buffers: { input, ...targets },
      groups: mergingGroups,
      cost,
      layer,
      phase: 'forward',
    };
    return { calls: [call], workspaceBytes: 0 };
  }
  return {
    calls: [
      {
        op: blockMoments(channels, rowsPerExample, blocks),
        buffers: { input, partials: workspace },
        groups: (examples) => [blocks.columnGroups, blocksOf(examples)],
        cost,
        layer,
        phase: 'forward',
      },
      {
        op: mergeMoments(shape, merging, synchronized),
        buffers: { partials: workspace, ...targets },
        groups: mergingGroups,
        cost: (examples) => ({
          flop: 8 * blocksOf(examples) * channels,
          bytes: 16 * blocksOf(examples) * channels,
        }),
        layer,
        phase: 'forward',
      },
    ],
    workspaceBytes: 8 * blocks.maxBlocks * channels,
  };
}

export function takeSynchronized(
  context: KernelContext,
  shape: BatchNormShape,
  { moments, meanSum, varianceSum }: StatisticsBuffers,
): KernelPlan {
  const op = takeMoments(shape);
  const call: KernelCall = {
    op,
    buffers: { moments, meanSum, varianceSum },
    groups: () => groupsFor(op, shape.channels / widthOf(shape.channels)),
    cost: () => ({ flop: 4 * shape.channels, bytes: 32 * shape.channels }),
    layer: context.layer,
    phase: 'forward',
  };
  return { calls: [call], workspaceBytes: 0 };
}
