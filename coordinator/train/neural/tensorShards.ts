// The layout of a net's training data in the blob store: shards of one size, which is a function of the fields alone.

import { elements } from '../../../shared/neural/graph/graphBuilder.ts';
import type { TensorDataset, TensorField, TensorShard } from '../../../shared/neural/run/neuralSpec.ts';
import { encodeTensorShard, fieldsOf, shardBytes } from '../../../shared/neural/run/tensorShard.ts';
import type { DatasetSummary } from '../../../shared/api/datasetAnswers.ts';
import type { BlobSink } from '../../core/blobs/blobStore.ts';
import type { Shard } from '../../core/run/runRequest.ts';
import { NoRowsError } from '../trainErrors.ts';
import { TensorDescription } from './describeTensors.ts';
import type { TensorBlock } from './tensorBlocks.ts';

const SHARD_BYTES = 4 * 1024 * 1024;
const MAX_SHARD_ROWS = 65_536;

/** Where shards go. */
export interface TensorSink {
  readonly blobs: BlobSink;
  readonly onProgress?: (rows: number) => void;
  readonly signal?: AbortSignal;
  /** Told what there is to say of a dataset, when all of it is stored. */
  readonly onSummary?: (summary: DatasetSummary) => void;
}

/** Rows of every shard but the last: a function of the fields alone. */
function shardRowsOf(fields: readonly TensorField[]): number {
  return Math.min(MAX_SHARD_ROWS, Math.max(1, Math.floor(SHARD_BYTES / shardBytes(fields, 1))));
}

/**
 * Blocks of any size become shards of one size; a block is made while the shard before it is stored.
 *
 * @param name of the dataset, for messages.
 * @throws NoRowsError, and what the blocks and the blob store throw.
 */
export async function writeTensorShards(
  name: string,
  blocks: AsyncIterable<TensorBlock>,
  { inputs, target }: Pick<TensorDataset, 'inputs' | 'target'>,
  { blobs, onProgress, onSummary }: TensorSink,
): Promise<TensorDataset> {
  const fields = fieldsOf({ inputs, target });
  const shardRows = shardRowsOf(fields);
  const description = onSummary && new TensorDescription(fields);
  const shards: TensorShard[] = [];
  let open: TensorBlock[] = [];
  let openRows = 0;
  const store = async (rows: number): Promise<void> => {
    const columns = fields.map((_, at) => joinColumns(open.map((block) => block.columns[at]!)));
    const taken = columns.map((column, at) => column.subarray(0, rows * elements(fields[at]!.shape)));
    const address = await blobs.putBytes(encodeTensorShard(fields, taken, rows));
    shards.push({ ...address, rows });
    const left = columns.map((column, at) => column.slice(rows * elements(fields[at]!.shape)));
    openRows -= rows;
    open = openRows > 0 ? [{ rows: openRows, columns: left }] : [];
  };
  for await (const block of blocks) {
    description?.add(block);
    for (let from = 0; from < block.rows;) {
      const to = Math.min(block.rows, from + shardRows - openRows);
      const columns = block.columns.map((column, at) => {
        const width = elements(fields[at]!.shape);
        return column.subarray(from * width, to * width);
      });
      open.push({ rows: to - from, columns });
      openRows += to - from;
      from = to;
      if (openRows >= shardRows) await store(shardRows);
    }
    onProgress?.(block.rows);
  }
  if (openRows > 0) await store(openRows);
  const rows = shards.reduce((sum, shard) => sum + shard.rows, 0);
  if (rows === 0) throw new NoRowsError(`The dataset "${name}" has no rows.`);
  if (description) onSummary(description.describe(name, rows));
  return { rows, shardRows, inputs, target, shards };
}

/** A prepared dataset as the coordinator plans it. */
export function shardsOf(dataset: string, { shards }: TensorDataset): Shard[] {
  let firstRow = 0;
  return shards.map(({ sha256, sizeBytes, rows }, index) => {
    const shard = { dataset, index, firstRow, rows, sha256, sizeBytes };
    firstRow += rows;
    return shard;
  });
}

function joinColumns(columns: readonly TensorBlock['columns'][number][]): TensorBlock['columns'][number] {
  const [first] = columns;
  if (columns.length === 1) return first!;
  const length = columns.reduce((sum, column) => sum + column.length, 0);
  const whole = new (first!.constructor as new (length: number) => Float32Array)(length);
  let at = 0;
  for (const column of columns) {
    whole.set(column, at);
    at += column.length;
  }
  return whole;
}
