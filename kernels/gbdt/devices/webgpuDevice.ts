// The tree device on WebGPU. Rows, margins, gradients and positions stay on the GPU; a level is one submission and one
// readback, of its histograms.

import type { BufferTracker } from '../../gpu/bufferTracker.ts';
import { GpuRunner, type BoundBuffer } from '../../gpu/gpuRunner.ts';
import type { Op } from '../../gpu/op.ts';
import { groupsFor } from '../../gpu/op.ts';
import type { PipelineCache } from '../../gpu/pipelineCache.ts';
import type { BinnedTree } from '../binnedTree.ts';
import { checkBlock, checkSpec } from '../checkBlock.ts';
import { checkNodeSplits, checkTree } from '../checkTree.ts';
import { DeviceStateError } from '../deviceErrors.ts';
import type { HistogramLayout } from '../histogramLayout.ts';
import { layoutHistogram } from '../histogramLayout.ts';
import type { HistogramChoice } from '../ops/gbdtOps.ts';
import { addTreeOpOf, gradientOpOf, opsOfDevice } from '../ops/gbdtOps.ts';
import { NO_NODE } from '../ops/histogramOp.ts';
import { defaultTiling, type Tiling } from '../ops/histogramTiled.ts';
import { indexOfNodes, splitTable, treeTable } from '../ops/nodeTable.ts';
import { partition } from '../ops/partition.ts';
import { buildExpTable, buildSigmoidTable, softmaxShift } from '../probabilityTable.ts';
import { treeMatchesSplits } from '../splitRoute.ts';
import type { BinnedBlock, DeviceSpec, LoadedBlock, NodeSplit, TreeDevice } from '../treeDevice.ts';
import { hasWideMargins } from '../treeDevice.ts';
import { wideLeafUnits } from '../wideLeaf.ts';
import type { WebgpuBlock } from '../webgpuBlock.ts';
import { createWebgpuBlock, destroyWebgpuBlock } from '../webgpuBlock.ts';
import { nodesAtATime, readHistograms, type HistogramPlan } from './webgpuHistogram.ts';

export interface WebgpuTreeDeviceOptions {
  /** Overrides the choice of histogram kernel: `global` on fallback (software) adapters, `auto` on others. */
  readonly histogram?: HistogramChoice;
  /** How the tiled kernel cuts rows into workgroups; the default is what was best where it was measured. */
  readonly tiling?: Tiling;
  /** Counts this device's buffers; give one to watch memory from outside. */
  readonly tracker?: BufferTracker;
  /** Compiled kernels to share with other tree devices of the same GPUDevice. */
  readonly pipelines?: PipelineCache;
}

class WebgpuTreeDevice implements TreeDevice {
  readonly description: TreeDevice['description'];
  readonly lost: Promise<string>;
  private readonly runner: GpuRunner;
  private readonly spec: DeviceSpec;
  private readonly histogram: HistogramPlan;
  private readonly layout: HistogramLayout;
  private readonly gradientOp: Op;
  private readonly tables: Readonly<Record<string, GPUBuffer>>;
  private readonly blocks = new Set<WebgpuBlock>();
  private applied: NodeSplit[] = [];
  /** Splits that rows have not been moved by: the last level's never are, since addTree walks on from any node. */
  private waiting: readonly NodeSplit[] = [];
  private closed = false;

  constructor(runner: GpuRunner, spec: DeviceSpec, histogram: HistogramPlan) {
    this.description = { kind: 'webgpu', name: adapterName(runner.device.adapterInfo) };
    this.lost = runner.device.lost.then(({ message, reason }) => (message === '' ? reason : message));
    this.runner = runner;
    this.spec = spec;
    this.histogram = histogram;
    this.layout = layoutHistogram(spec.slotsPerFeature);
    this.gradientOp = gradientOpOf(spec);
    this.tables = runner.guard(() => ({
      sigmoidTable: runner.upload('sigmoidTable', buildSigmoidTable()),
      expTable: runner.upload('expTable', buildExpTable()),
    }));
  }

  async load(block: BinnedBlock, role: LoadedBlock['role']): Promise<LoadedBlock> {
    this.checkOpen();
    checkBlock(this.spec, block);
    const loaded = this.runner.guard(() => createWebgpuBlock(this.runner, this.spec, block, role));
    this.blocks.add(loaded);
    await this.runner.settled();
    return loaded;
  }

  unload(block: LoadedBlock): void {
    if (!this.blocks.delete(block as WebgpuBlock)) return;
    // Commands recorded for the block must reach the GPU before its buffers go.
    this.runner.submit();
    destroyWebgpuBlock(this.runner, block as WebgpuBlock);
  }

  beginTree(round: number, output: number): void {
    this.checkOpen();
    this.applied = [];
    this.waiting = [];
    const { runner, spec, gradientOp: op } = this;
    const { seed, threshold } = spec.sampling;
    runner.guard(() => {
      const sampled = threshold < 2 ** 32 ? 1 : 0;
      const shift = softmaxShift(spec.outputs);
      const settings = { output, outputs: spec.outputs, shift, round, seed, sampled, threshold };
      const call = runner.uploadUniformOnce(op, 'call', settings);
      for (const block of this.trainBlocks()) {
        const place = { rows: block.rows, firstRow: block.firstRow, weighted: block.weighted ? 1 : 0 };
        const buffers = {
          ...this.tables,
          ...buffersOf(block),
          call,
          block: runner.uploadUniformOnce(op, 'block', place),
        };
        runner.dispatch(op, buffers, groupsFor(op, block.rows));
        block.placed = true;
      }
    });
  }

  async buildHistograms(nodes: Int32Array, limb: 'high' | 'low' = 'high'): Promise<Float64Array> {
    this.checkOpen();
    if (limb === 'low' && this.spec.isWide !== true) {
      throw new DeviceStateError('There is one limb alone: the spec is not wide.');
    }
    this.moveRows();
    const nodeLength = 2 * this.layout.slots;
    const result = new Float64Array(nodes.length * nodeLength);
    const stride = nodesAtATime(this.runner.device, this.layout);
    const placed = this.trainBlocks().filter((block) => block.placed);
    const blocks =
      limb === 'high' ? placed : placed.map((block) => ({ ...block, gradients: block.lowGradients }));
    for (let first = 0; first < nodes.length; first += stride) {
      const some = nodes.subarray(first, first + stride);
      const part = result.subarray(first * nodeLength, (first + some.length) * nodeLength);
      await readHistograms(this.runner, this.layout, this.histogram, blocks, some, part);
    }
    return result;
  }

  applySplits(splits: readonly NodeSplit[]): void {
    this.checkOpen();
    checkNodeSplits(this.spec, splits);
    if (splits.length === 0) return;
    this.moveRows();
    this.applied.push(...splits);
    this.waiting = splits;
  }

  applyTrees(blocks: readonly LoadedBlock[], trees: readonly BinnedTree[]): void {
    this.checkOpen();
    for (const tree of trees) checkTree(this.spec, tree);
    const own = blocks.map((block) => this.own(block));
    const { runner, spec } = this;
    const addTree = addTreeOpOf(spec);
    runner.guard(() => {
      trees.forEach((tree, i) => {
        const output = i % this.spec.outputs;
        const grown = i === trees.length - 1 && treeMatchesSplits(tree, this.applied);
        const wideUnits = hasWideMargins(spec)
          ? Float64Array.from(tree.value, (value) => wideLeafUnits(value, spec.marginFractionBits))
          : undefined;
        const nodes = runner.uploadOnce(treeTable(spec.slotsPerFeature, tree, wideUnits));
        for (const block of own) {
          const standing = grown && block.placed ? 1 : 0;
          this.run(addTree, block, {
            nodes,
            call: runner.uploadUniformOnce(addTree, 'call', { output, standing }),
          });
        }
      });
    });
    // Nothing is read back at the end of a round: let the GPU start at once.
    runner.submit();
  }

  async readMargins(block: LoadedBlock): Promise<Int32Array> {
    this.checkOpen();
    const own = this.own(block);
    const limbs = hasWideMargins(this.spec) ? 2 : 1;
    return new Int32Array(await this.runner.read(own.margins, 4 * own.rows * this.spec.outputs * limbs));
  }

  async close(): Promise<void> {
    this.closed = true;
    this.blocks.clear();
    this.runner.close();
  }

  /** Records the splits that wait. */
  private moveRows(): void {
    const { runner, waiting } = this;
    if (waiting.length === 0) return;
    this.waiting = [];
    runner.guard(() => {
      const index = indexOfNodes(
        waiting.map((split) => split.node),
        NO_NODE,
      );
      const shared = {
        splitIndex: runner.uploadOnce(index),
        splits: runner.uploadOnce(splitTable(this.spec.slotsPerFeature, waiting)),
      };
      for (const block of this.trainBlocks()) this.run(partition, block, shared);
    });
  }

  /** Records an op of one thread a row. */
  private run(op: Op, block: WebgpuBlock, buffers: Readonly<Record<string, BoundBuffer>>): void {
    const rows = this.runner.uploadUniformOnce(op, 'block', { rows: block.rows });
    this.runner.dispatch(op, { ...buffersOf(block), ...buffers, block: rows }, groupsFor(op, block.rows));
  }

  private trainBlocks(): WebgpuBlock[] {
    return [...this.blocks].filter((block) => block.role === 'train');
  }

  private own(block: LoadedBlock): WebgpuBlock {
    if (!this.blocks.has(block as WebgpuBlock)) {
      throw new DeviceStateError(`The block from row ${block.firstRow} is not loaded on this device.`);
    }
    return block as WebgpuBlock;
  }

  private checkOpen(): void {
    if (this.closed) throw new DeviceStateError('The tree device is closed.');
  }
}

function buffersOf(block: WebgpuBlock): Record<string, GPUBuffer> {
  const { bins, labels, weights, margins, gradients, lowGradients, positions } = block;
  return { bins, labels, weights, margins, gradients, lowGradients, positions };
}

function adapterName(info: GPUAdapterInfo | undefined): string {
  const words = [info?.description, info?.device, info?.vendor].filter(
    (word) => word !== undefined && word !== '',
  );
  return `${words[0] ?? 'GPU'} (webgpu)`;
}

/**
 * A tree device on a GPUDevice that the caller requested and goes on to own (close() doesn't destroy it).
 * @throws DeviceFailedError when the kernels don't compile, DeviceLostError when the device is gone.
 */
export async function createWebgpuTreeDevice(
  device: GPUDevice,
  spec: DeviceSpec,
  options: WebgpuTreeDeviceOptions = {},
): Promise<TreeDevice> {
  checkSpec(spec);
  const runner = new GpuRunner(device, options);
  const choice = options.histogram ?? (device.adapterInfo?.isFallbackAdapter ? 'global' : 'auto');
  await runner.compile(opsOfDevice(spec, choice));
  const created = new WebgpuTreeDevice(runner, spec, { choice, tiling: options.tiling ?? defaultTiling });
  await runner.settled();
  return created;
}
