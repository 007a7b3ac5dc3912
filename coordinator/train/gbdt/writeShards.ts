// The second pass: spooled rows become binned shards in the blob store.

import { MISSING_BIN } from '../../../kernels/gbdt/treeDevice.ts';
import { AbortedError } from '../../../kernels/errors.ts';
import { createBinner, tablesPay, type Binner } from '../../../shared/gbdt/binColumn.ts';
import { encodeShard, ROWS_PER_SHARD, type ShardRows } from '../../../shared/gbdt/shardCodec.ts';
import type { TrainSpec } from '../../../shared/gbdt/trainSpec.ts';
import type { Shard } from '../../core/run/runRequest.ts';
import type { RawBlock } from './rawBlock.ts';
import type { SpooledSet } from './spoolDataset.ts';
import type { PreparedFeature, StartingModel } from './trainingData.ts';
import type { BlobSink } from '../../core/blobs/blobStore.ts';

export interface WriteShardsSettings {
  readonly spec: TrainSpec;
  readonly features: readonly PreparedFeature[];
  readonly blobs: BlobSink;
  readonly startFrom?: StartingModel | undefined;
  readonly signal?: AbortSignal | undefined;
}

const MIN_SHARD_ROWS = 64;
/** A dataset is cut into at least this many shards where it has the rows, so that a group can share it evenly. */
const MIN_SHARDS = 16;

/** Rows of a dataset's shards but the last: a power of two that follows from its rows and columns alone. */
export function shardRows(rows: number, mostRows: number = ROWS_PER_SHARD): number {
  const even = 2 ** Math.floor(Math.log2(Math.max(1, rows / MIN_SHARDS)));
  return Math.max(MIN_SHARD_ROWS, Math.min(mostRows, even));
}

/** Bins, encodes and stores a dataset. One shard is written while the next is made. */
export async function writeShards(set: SpooledSet, settings: WriteShardsSettings): Promise<Shard[]> {
  const size = shardRows(set.spool.rows, set.spool.blockRows);
  const usesTables = tablesPay(set.spool.rows, settings.features.length);
  const binners = settings.features.map(({ cuts }) =>
    cuts.categorical ? undefined : createBinner(cuts, usesTables),
  );
  const shards: Shard[] = [];
  let writing: Promise<void> = Promise.resolve();
  for await (const block of set.spool.blocks()) {
    if (settings.signal?.aborted) throw new AbortedError('Preparation of the training data was called off.');
    recode(block, set);
    for (let from = 0; from < block.rows; from += size) {
      const to = Math.min(block.rows, from + size);
      const bytes = encodeShard(binRows(block, from, to, binners, settings));
      const shard = {
        dataset: set.name,
        index: shards.length,
        firstRow: block.firstRow + from,
        rows: to - from,
      };
      shards.push({ ...shard, sha256: '', sizeBytes: 0 });
      await writing;
      writing = settings.blobs.putBytes(bytes).then((address) => {
        shards[shard.index] = { ...shard, ...address };
      });
      // A failure is thrown by the next await; until then it must not count as unhandled.
      writing.catch(() => undefined);
    }
  }
  await writing;
  return shards;
}

/** Codes of the first pass become final ones, in place. */
function recode(block: RawBlock, { finalCodes }: SpooledSet): void {
  for (const [feature, codes] of block.features.entries()) {
    const final = finalCodes[feature];
    if (!final || !(codes instanceof Uint8Array)) continue;
    for (let row = 0; row < block.rows; row++) codes[row] = final[codes[row]!]!;
  }
}

function binRows(
  block: RawBlock,
  from: number,
  to: number,
  binners: readonly (Binner | undefined)[],
  { spec, startFrom }: WriteShardsSettings,
): ShardRows {
  const rows = to - from;
  const raw = block.features.map((column) => column.subarray(from, to));
  const bins = raw.map((column, feature) =>
    column instanceof Float32Array
      ? (binners[feature]?.(column) ?? new Uint8Array(rows).fill(MISSING_BIN))
      : column,
  );
  return {
    firstRow: block.firstRow + from,
    rows,
    bins,
    labels: block.labels.subarray(from, to),
    ...(block.weights && { weights: block.weights.subarray(from, to) }),
    ...(startFrom && { baseMargins: startFrom.margins(raw, rows, spec.device) }),
  };
}
