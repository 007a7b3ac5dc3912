// What an owner's loop sees of its group and its data.

import type * as tfjs from '@tensorflow/tfjs';
import type { Collective } from '../../../shared/collective/collective.ts';
import { readFromPeer } from '../../../shared/collective/peerMessage.ts';
import type {
  CheckpointContents,
  DataParallelContext,
  DatasetShard,
  IterBatchesOptions,
  Tensors,
} from '../../../shared/neural/loop/dataParallelLoop.ts';
import type { PackedFiles } from '../../../shared/neural/loop/packedFiles.ts';
import { packFiles, unpackFiles } from '../../../shared/neural/loop/packedFiles.ts';
import { finiteMetrics } from '../run/finiteMetrics.ts';
import type { Tf } from '../tfjs/loadTfjs.ts';
import { checkpointFiles, openCheckpoint } from './loopCheckpoint.ts';
import { LoopMisuseError } from './loopErrors.ts';
import { meetAll } from './loopGroup.ts';
import { packTensors } from './packTensors.ts';

/** Rows of one dataset by their positions in an epoch's order, which is the same at every member. */
export interface LoopDataset {
  readonly rows: number;
  read(
    epoch: number,
    from: number,
    to: number,
    signal: AbortSignal,
  ): Promise<
    readonly {
      readonly name: string;
      readonly shape: readonly number[];
      readonly values: Float32Array | Int32Array;
    }[]
  >;
}

export interface LoopReport {
  /** Counted from 1. */
  readonly report: number;
  /** Rank 0's, the same at every member. */
  readonly metrics: Readonly<Record<string, number>>;
  /** Rank 0's, the same at every member; undefined where it gave none. */
  readonly checkpoint: PackedFiles | undefined;
}

export interface LoopSurroundings {
  readonly tf: Tf;
  readonly collective: Collective;
  readonly datasets: ReadonlyMap<string, LoopDataset>;
  readonly signal: AbortSignal;
  /** Longest wait for a peer, for reports as for tensors. */
  readonly timeoutMs: number;
  readonly reports: number;
  readonly checkpoint: PackedFiles | undefined;
  /** Whether the generation should end with that report; what any member says counts for all. */
  endsAfter(report: number): boolean;
  /** What is then thrown into the loop. */
  over(): Error;
  /** A report that all members have come to. */
  onReport(report: LoopReport): Promise<void> | void;
}

/** The context, and what ends it when the loop has returned. */
export interface LoopMember {
  readonly context: DataParallelContext;
  /** What ended the generation, even if the loop swallowed it. */
  readonly failure: unknown;
  /** Waits until all have returned. @throws LoopMisuseError when some go on. */
  returned(): Promise<void>;
}

export function joinLoop(surroundings: LoopSurroundings): LoopMember {
  const { tf, collective, datasets, signal, timeoutMs } = surroundings;
  const { rank, size } = collective;
  const options = { signal, timeoutMs };
  let { reports, checkpoint } = surroundings;
  let failed: { readonly error: unknown } | undefined;
  /** After a failure the group is over: whatever else the loop asks for fails as well. */
  const guarded = async <T>(work: () => Promise<T>): Promise<T> => {
    if (failed) throw failed.error;
    try {
      return await work();
    } catch (error) {
      failed ??= { error };
      throw error;
    }
  };

  const report: DataParallelContext['report'] = async (metrics, contents) => {
    const checked = checkMetrics(metrics);
    const wish = surroundings.endsAfter(reports + 1);
    const own = { doing: 'report', reports, isLast: wish, metrics: finiteMetrics(checked) } as const;
    const agreed = await meetAll(collective, own, options);
    const kept = await shareCheckpoint(surroundings, contents);
    checkpoint = kept ?? checkpoint;
    reports += 1;
    await surroundings.onReport({ report: reports, metrics: agreed.metrics, checkpoint: kept });
    if (agreed.isLast) throw surroundings.over();
  };
  const context: DataParallelContext = {
    rank,
    size,
    tf,
    get reports() {
      return reports;
    },
    getDatasetShard(name = 'train') {
      const dataset = datasets.get(name);
      if (!dataset) {
        const known = [...datasets.keys()].join(', ');
        throw new LoopMisuseError(`there is no dataset "${name}"; the trainer was given ${known}`, {
          field: name,
        });
      }
      return shardOf(tf, dataset, rank, size, signal);
    },
    allReduce: (tensors, operation = 'mean') =>
      guarded(async () => {
        const packed = await packTensors(tf, tensors, 'allReduce:');
        const sums = await collective.allReduce(packed.values, 'sum', options);
        if (operation === 'mean') for (let i = 0; i < sums.length; i += 1) sums[i]! /= size;
        return packed.unpack(sums);
      }),
    broadcast: (tensors, root = 0) => guarded(() => broadcastTensors(surroundings, tensors, root)),
    barrier: () => guarded(() => collective.barrier(options)),
    report: (metrics, contents) => guarded(() => report(metrics, contents)),
    getCheckpoint: () => checkpoint && openCheckpoint(tf, checkpoint),
  };
  return {
    context,
    get failure() {
      return failed?.error;
    },
    returned: () =>
      guarded(async () => {
        await meetAll(collective, { doing: 'return', reports, isLast: false, metrics: {} }, options);
      }),
  };
}

async function broadcastTensors<T extends Tensors>(
  { tf, collective, signal, timeoutMs }: LoopSurroundings,
  tensors: T,
  root: number,
): Promise<T> {
  const { values, unpack } = await packTensors(tf, tensors, 'broadcast:');
  const own = collective.rank === root ? new Uint8Array(values.buffer) : new Uint8Array();
  const bytes = await collective.broadcast(own, root, { signal, timeoutMs });
  if (bytes.byteLength !== values.byteLength) {
    throw new LoopMisuseError(
      `broadcast: rank ${root} sent ${bytes.byteLength / 4} values, rank ${collective.rank} gave tensors of ${values.length}`,
    );
  }
  return unpack(new Float32Array(bytes.slice().buffer));
}

/** Rank 0's contents at every member, empty bytes standing for none. */
async function shareCheckpoint(
  { tf, collective, signal, timeoutMs }: LoopSurroundings,
  contents: CheckpointContents | undefined,
): Promise<PackedFiles | undefined> {
  const own =
    collective.rank === 0 && contents ? packFiles(await checkpointFiles(tf, contents)) : new Uint8Array();
  const bytes = await collective.broadcast(own, 0, { signal, timeoutMs });
  return bytes.byteLength === 0 ? undefined : readFromPeer(collective, 0, () => unpackFiles(bytes));
}

function shardOf(
  tf: Tf,
  dataset: LoopDataset,
  rank: number,
  size: number,
  signal: AbortSignal,
): DatasetShard {
  // Equal numbers, so that all members make the same steps.
  const rows = Math.floor(dataset.rows / size);
  async function* iterBatches({
    batchSize,
    epoch = 0,
    dropLast = false,
  }: IterBatchesOptions): AsyncIterableIterator<Record<string, tfjs.Tensor>> {
    if (!Number.isInteger(batchSize) || batchSize < 1) {
      throw new LoopMisuseError(`iterBatches: batchSize is ${batchSize}; expected a whole number from 1`);
    }
    const end = dropLast ? rows - (rows % batchSize) : rows;
    for (let from = 0; from < end; from += batchSize) {
      const to = Math.min(end, from + batchSize);
      const columns = await dataset.read(epoch, rank * rows + from, rank * rows + to, signal);
      const batch = columns.map(({ name, shape, values }) => {
        const dtype = values instanceof Int32Array ? 'int32' : 'float32';
        return [name, tf.tensor(values, [to - from, ...shape], dtype)] as const;
      });
      try {
        yield Object.fromEntries(batch);
      } finally {
        for (const [, tensor] of batch) tensor.dispose();
      }
    }
  }
  return { rows, totalRows: dataset.rows, iterBatches };
}

/** The loop is plain JavaScript: its types are gone. */
function checkMetrics(metrics: unknown): Readonly<Record<string, number>> {
  if (typeof metrics !== 'object' || metrics === null) {
    throw new LoopMisuseError('report: expected an object of numbers by name');
  }
  for (const [name, value] of Object.entries(metrics)) {
    if (typeof value !== 'number' || name.length > 128) {
      throw new LoopMisuseError(`report: metric "${name}" is ${String(value)}; expected a number`, {
        field: name,
      });
    }
  }
  return metrics as Readonly<Record<string, number>>;
}
