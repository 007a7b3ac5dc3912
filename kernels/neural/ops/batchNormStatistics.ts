// Mean and variance of each channel over a microbatch. Lanes sum differences from their first value, which keeps f32
// exact enough where the mean is large beside the deviation; lanes and blocks are merged by Chan's formula (Chan, Golub
// & LeVeque 1983) in a fixed order.

import type { Op, OpInputs } from '../../gpu/op.ts';
import { groupsFor } from '../../gpu/op.ts';
import type { KernelCall, KernelContext, KernelPlan } from '../kernelCall.ts';
import { batchUniform, examplesOf, floatsOf } from '../kernelCall.ts';
import type { ColumnBlocks, ReductionContext } from './columnBlocks.ts';
import { addUpWgsl, columnBlocks, laneWgsl } from './columnBlocks.ts';
import { changeVectors, float, readVectors, vectorAliases, widthOf } from './vectors.ts';

/** partials: [mean, Σ(x−mean)²][block][channel]. */
function blockMoments(channels: number, rowsPerExample: number, blocks: ColumnBlocks): Op {
  const { vectors, rowsPerBlock, rowLanes, maxBlocks } = blocks;
  return {
    name: `batchMoments[${rowsPerExample}×${channels}]`,
    storage: [readVectors('input'), changeVectors('partials')],
    uniforms: [batchUniform],
    workgroupSize: blocks.workgroupSize,
    declarations: `${vectorAliases(blocks.width)}\n${addUpWgsl(blocks)}`,
    body: `${laneWgsl(blocks)}
  let first = group.y * ${rowsPerBlock}u;
  let end = min(first + ${rowsPerBlock}u, batch.examples * ${rowsPerExample}u);
  var sum = T(0.0f);
  var squares = T(0.0f);
  var origin = T(0.0f);
  var count = 0u;
  if (inside && first + rowLane < end) {
    origin = input[(first + rowLane) * ${vectors}u + column];
    for (var row = first + rowLane; row < end; row += ${rowLanes}u) {
      let difference = input[row * ${vectors}u + column] - origin;
      sum += difference;
      squares += difference * difference;
      count += 1u;
    }
  }
  let n = f32(max(count, 1u));
  let laneMean = origin + sum / n;
  let mean = addUp(lane, laneMean * f32(count)) / f32(end - first);
  let away = laneMean - mean;
  let spread = addUp(lane, (squares - sum * sum / n) + away * away * f32(count));
  if (inside && rowLane == 0u) {
    partials[group.y * ${vectors}u + column] = mean;
    partials[(${maxBlocks}u + group.y) * ${vectors}u + column] = spread;
  }`,
    reference: (inputs) => {
      const input = floatsOf(inputs, 'input');
      const partials = floatsOf(inputs, 'partials');
      const rows = examplesOf(inputs) * rowsPerExample;
      const means = new Float64Array(channels);
      const spreads = new Float64Array(channels);
      for (let first = 0, block = 0; first < rows; first += rowsPerBlock, block += 1) {
        const end = Math.min(first + rowsPerBlock, rows);
        means.fill(0);
        spreads.fill(0);
        for (let i = first * channels; i < end * channels; i += channels) {
          for (let channel = 0; channel < channels; channel += 1) means[channel]! += input[i + channel]!;
        }
        for (let channel = 0; channel < channels; channel += 1) means[channel]! /= end - first;
        for (let i = first * channels; i < end * channels; i += channels) {
          for (let channel = 0; channel < channels; channel += 1) {
            spreads[channel]! += (input[i + channel]! - means[channel]!) ** 2;
          }
        }
        partials.set(means, block * channels);
        partials.set(spreads, (maxBlocks + block) * channels);
      }
    },
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
 * moments: [mean, 1/√(variance + ε)][channel]; mean and variance are added to the batch statistics. When other members'
 * rows are still to come: moments: [mean, variance][channel] and nothing is added.
 */
function mergeMoments(shape: BatchNormShape, blocks: ColumnBlocks, synchronized: boolean): Op {
  const { channels, rowsPerExample, epsilon } = shape;
  const { vectors, rowsPerBlock, rowLanes, maxBlocks } = blocks;
  return {
    name: `batchStatistics[${rowsPerExample}×${channels}; ${synchronized ? 'own' : epsilon}]`,
    storage: [readVectors('partials'), ...(synchronized ? [changeVectors('moments')] : takenInto)],
    uniforms: [batchUniform],
    workgroupSize: blocks.workgroupSize,
    declarations: `${vectorAliases(blocks.width)}\n${addUpWgsl(blocks)}`,
    body: `${laneWgsl(blocks)}
  let rows = batch.examples * ${rowsPerExample}u;
  let blocks = (rows + ${rowsPerBlock - 1}u) / ${rowsPerBlock}u;
  var sum = T(0.0f);
  if (inside) {
    for (var block = rowLane; block < blocks; block += ${rowLanes}u) {
      let count = min(${rowsPerBlock}u, rows - block * ${rowsPerBlock}u);
      sum += partials[block * ${vectors}u + column] * f32(count);
    }
  }
  let mean = addUp(lane, sum) / f32(rows);
  var spread = T(0.0f);
  if (inside) {
    for (var block = rowLane; block < blocks; block += ${rowLanes}u) {
      let count = min(${rowsPerBlock}u, rows - block * ${rowsPerBlock}u);
      let away = partials[block * ${vectors}u + column] - mean;
      spread += partials[(${maxBlocks}u + block) * ${vectors}u + column] + away * away * f32(count);
    }
  }
  let variance = addUp(lane, spread) / f32(rows);
  if (inside && rowLane == 0u) {${
    synchronized
      ? `\n    moments[column] = mean;\n    moments[${vectors}u + column] = variance;`
      : takeWgsl(vectors, epsilon)
  }
  }`,
    reference: (inputs) => {
      const partials = floatsOf(inputs, 'partials');
      const moments = floatsOf(inputs, 'moments');
      const take = synchronized
        ? (channel: number, mean: number, variance: number) => {
            moments[channel] = mean;
            moments[channels + channel] = variance;
          }
        : takeReference(inputs, epsilon);
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
  const blocksOf = (examples: number) => Math.ceil((examples * rowsPerExample) / blocks.rowsPerBlock);
  const { layer, workspace } = context;
  const { input, moments, ...sums } = buffers;
  return {
    calls: [
      {
        op: blockMoments(channels, rowsPerExample, blocks),
        buffers: { input, partials: workspace },
        groups: (examples) => [blocks.columnGroups, blocksOf(examples)],
        cost: (examples) => ({
          flop: 4 * examples * rowsPerExample * channels,
          bytes: 4 * examples * rowsPerExample * channels,
        }),
        layer,
        phase: 'forward',
      },
      {
        op: mergeMoments(shape, blocks, synchronized),
        buffers: { partials: workspace, moments, ...(!synchronized && sums) },
        // Of no rows there are no statistics.
        groups: (examples) => [examples === 0 ? 0 : blocks.columnGroups, 1],
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
