// What an owner's loop sees of its group and its data, in its thread.

import type * as tfjs from '@tensorflow/tfjs';
import type {
  DataParallelContext,
  DatasetShard,
  IterBatchesOptions,
  Tensors,
} from '../../../shared/neural/loop/dataParallelLoop.ts';
import { packFiles, unpackFiles } from '../../../shared/neural/loop/packedFiles.ts';
import type { AskMain } from '../../ownerLoop/askMain.ts';
import type { TensorsPlace } from '../../ownerLoop/loopMessages.ts';
import type { Tf } from '../tfjs/loadTfjs.ts';
import type { CommittedReport, ReadColumn, TensorsAsk } from './loopAnswers.ts';
import { packCheckpoint, openCheckpoint } from './loopCheckpoint.ts';
import { GenerationOver, LoopMisuseError } from './loopErrors.ts';
import { packTensors } from './packTensors.ts';
import { unknownKey } from '../../../shared/text/nearestWord.ts';

export interface LoopSurroundings extends TensorsPlace {
  readonly tf: Tf;
  readonly ask: AskMain;
}

/** The context, and what the loop did wrong even if it made nothing of it. */
export interface LoopMember {
  readonly context: DataParallelContext;
  readonly failed: { readonly error: unknown } | undefined;
}

export function joinLoop(surroundings: LoopSurroundings): LoopMember {
  const { tf, rank, size, datasetRows } = surroundings;
  const ask = (what: TensorsAsk, transfer?: readonly ArrayBuffer[]): Promise<unknown> =>
    surroundings.ask(what, transfer);
  let { reports } = surroundings;
  let checkpoint = surroundings.checkpoint && unpackFiles(surroundings.checkpoint);
  let failed: LoopMember['failed'];
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
    if (contents) refuseUnknown('report', contents, ['model', 'tensors', 'state']);
    // Rank 0's counts.
    const own = rank === 0 && contents ? packFiles(await packCheckpoint(tf, contents)) : undefined;
    const what: TensorsAsk = { op: 'report', metrics: checked, ...(own && { checkpoint: own }) };
    const committed = (await ask(what, own ? [own.buffer] : [])) as CommittedReport;
    checkpoint = committed.checkpoint ? unpackFiles(committed.checkpoint) : checkpoint;
    reports = committed.reports;
    if (committed.isLast) throw new GenerationOver();
  };
  const context: DataParallelContext = {
    rank,
    size,
    tf,
    get reports() {
      return reports;
    },
    getDatasetShard(name = 'train') {
      if (Object.hasOwn(datasetRows, name)) {
        const read: ReadRows = (epoch, from, to) =>
          ask({ op: 'read', dataset: name, epoch, from, to }) as Promise<readonly ReadColumn[]>;
        return shardOf(tf, datasetRows[name]!, read, rank, size);
      }
      const known = Object.keys(datasetRows).join(', ');
      throw new LoopMisuseError(`there is no dataset "${name}"; the trainer was given ${known}`, {
        field: name,
      });
    },
    allReduce: (tensors, operation = 'mean') =>
      guarded(async () => {
        const { values, unpack } = await packTensors(tf, tensors, 'allReduce:');
        const sums = (await ask({ op: 'allReduce', values }, [values.buffer])) as Float32Array;
        if (operation === 'mean') for (let i = 0; i < sums.length; i += 1) sums[i]! /= size;
        return unpack(sums);
      }),
    broadcast: (tensors: Tensors, root = 0) =>
      guarded(async () => {
        const { values, unpack } = await packTensors(tf, tensors, 'broadcast:');
        const given = (await ask({ op: 'broadcast', values, root }, [values.buffer])) as Float32Array;
        return unpack(given) as never;
      }),
    barrier: () => guarded(async () => void (await ask({ op: 'barrier' }))),
    report: (metrics, contents) => guarded(() => report(metrics, contents)),
    getCheckpoint: () => checkpoint && openCheckpoint(tf, checkpoint),
  };
  return {
    context,
    get failed() {
      return failed;
    },
  };
}

type ReadRows = (epoch: number, from: number, to: number) => Promise<readonly ReadColumn[]>;

function shardOf(tf: Tf, totalRows: number, read: ReadRows, rank: number, size: number): DatasetShard {
  // Equal numbers, so that all members make the same steps.
  const rows = Math.floor(totalRows / size);
  async function* iterBatches(
    options: IterBatchesOptions,
  ): AsyncIterableIterator<Record<string, tfjs.Tensor>> {
    refuseUnknown('iterBatches', options, ['batchSize', 'epoch', 'dropLast']);
    const { batchSize, epoch = 0, dropLast = false } = options;
    if (!Number.isInteger(batchSize) || batchSize < 1) {
      throw new LoopMisuseError(`iterBatches: batchSize is ${batchSize}; expected a whole number from 1`);
    }
    if (!Number.isInteger(epoch) || epoch < 0) {
      throw new LoopMisuseError(`iterBatches: epoch is ${epoch}; expected a whole number from 0`);
    }
    const end = dropLast ? rows - (rows % batchSize) : rows;
    for (let from = 0; from < end; from += batchSize) {
      const to = Math.min(end, from + batchSize);
      const columns = await read(epoch, rank * rows + from, rank * rows + to);
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
  return { rows, totalRows, iterBatches };
}

/** The loop is plain JavaScript: its types are gone. @throws LoopMisuseError */
function refuseUnknown(what: string, options: object, names: readonly string[]): void {
  const unknown = unknownKey(options, names);
  if (unknown)
    throw new LoopMisuseError(`${what}: ${unknown.key} ${unknown.problem}`, { field: unknown.key });
}

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
