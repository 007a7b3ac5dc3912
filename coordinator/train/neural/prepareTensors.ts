// Turns a dataset into shards of tensors in the blob store, with one shard's rows in memory at a time.

import type { Dataset } from '../../data/dataset.ts';
import { unknownColumn } from '../../../shared/columns/columnErrors.ts';
import type { BlobSink } from '../../core/blobs/blobStore.ts';
import { NoRowsError } from '../trainErrors.ts';
import type { NetInput } from '../../../shared/neural/model/netInputs.ts';
import { elements } from '../../../shared/neural/graph/graphBuilder.ts';
import { encodeTensorShard, fieldsOf, shardBytes } from '../../../shared/neural/run/tensorShard.ts';
import type { TensorDataset, TensorField, TensorShard } from '../../../shared/neural/run/neuralSpec.ts';
import type { LossName } from '../../../shared/neural/trainingEngine.ts';
import type { ModelPort } from '../../checkpoint/tfjsThread/modelPort.ts';
import type { OpenedModel } from '../../checkpoint/modelSource.ts';
import { NeuralDataError } from './neuralErrors.ts';
import { labelRuleOf } from './labelRule.ts';
import { memoryBlock, tableBlocks, type FieldSource, type TensorBlock, oneBlock } from './tensorBlocks.ts';
import { inputColumn, isTensorSet, type NeuralData, type TensorSet } from './tensorSet.ts';

/** Where shards go. */
export interface TensorSink {
  readonly blobs: BlobSink;
  readonly onProgress?: (rows: number) => void;
  readonly signal?: AbortSignal;
}

export interface PrepareTensors extends TensorSink {
  readonly model: OpenedModel;
  readonly loss: LossName;
  readonly labelColumn: string | undefined;
  /** Columns of the inputs: a list for a model with one input, or by the inputs' names. */
  readonly featureColumns: readonly string[] | Readonly<Record<string, readonly string[]>> | undefined;
  /** Inputs are bytes, and this times them is what the model gets. */
  readonly inputScale: number | undefined;
  /** Added to that; default 0. */
  readonly inputOffset?: number | undefined;
  /** Told how columns become inputs. */
  readonly onInputs?: (inputs: readonly NetInput[]) => void;
}

export const SHARD_BYTES = 4 * 1024 * 1024;
const MAX_SHARD_ROWS = 65_536;

/**
 * @param name of the dataset, for messages.
 * @throws NeuralDataError, UnknownColumnError, NoRowsError, and what the dataset and the blob store throw.
 */
export async function prepareTensors(
  name: string,
  data: NeuralData,
  settings: PrepareTensors,
): Promise<TensorDataset> {
  const { model, loss } = settings;
  const rule = labelRuleOf(loss, model.outputShape);
  const isMemory = isTensorSet(data);
  const inputs = model.inputs.map((port) => inputField(port, settings, isMemory ? data : undefined));
  const target: TensorField = {
    name: 'labels',
    shape: rule.shape,
    storage: rule.dtype,
    dtype: rule.dtype,
    scale: 1,
    offset: 0,
  };
  const fields = fieldsOf({ inputs, target });
  const sources = isMemory
    ? []
    : await sourcesOf(name, data, inputs, { field: target, columns: [], rule }, settings);
  settings.onInputs?.(
    inputs.map(({ name: input, scale, offset = 0 }, at) => ({
      name: input,
      columns: sources[at]?.columns,
      scale,
      offset,
    })),
  );
  const blocks = isMemory
    ? oneBlock(memoryBlock(data, fields, rule))
    : tableBlocks(data, sources, settings.signal ? { signal: settings.signal } : {});
  const shardRows = Math.min(MAX_SHARD_ROWS, Math.max(1, Math.floor(SHARD_BYTES / shardBytes(fields, 1))));
  const shards = await writeTensorShards(blocks, fields, shardRows, settings);
  const rows = shards.reduce((sum, shard) => sum + shard.rows, 0);
  if (rows === 0) throw new NoRowsError(`The dataset "${name}" has no rows.`);
  return { rows, shardRows, inputs, target, shards };
}

function inputField(
  { name, shape, dtype }: ModelPort,
  { inputScale, inputOffset }: PrepareTensors,
  set: TensorSet | undefined,
): TensorField {
  const column = set && inputColumn(set, name);
  const isScaled = inputScale !== undefined || inputOffset !== undefined;
  const isBytes = dtype === 'float32' && (isScaled || column?.values instanceof Uint8Array);
  if (!isBytes) return { name, shape, dtype, storage: dtype, scale: 1, offset: 0 };
  return { name, shape, dtype, storage: 'uint8', scale: inputScale ?? 1, offset: inputOffset ?? 0 };
}

async function sourcesOf(
  name: string,
  data: Dataset,
  inputs: readonly TensorField[],
  target: FieldSource,
  { labelColumn, featureColumns, signal }: PrepareTensors,
): Promise<FieldSource[]> {
  const present = await data.columns(signal ? { signal } : {});
  if (labelColumn === undefined) {
    throw new NeuralDataError(
      `labelColumn must name the column to predict; "${name}" has ${present.join(', ')}`,
      {
        column: 'labelColumn',
      },
    );
  }
  const columnsFor = (field: TensorField): readonly string[] => {
    if (featureColumns && 'length' in featureColumns) return featureColumns as readonly string[];
    if (featureColumns && Object.hasOwn(featureColumns, field.name)) return featureColumns[field.name]!;
    if (inputs.length > 1) return [field.name];
    return present.filter((column) => column !== labelColumn);
  };
  const sources = [
    ...inputs.map((field): FieldSource => ({ field, columns: columnsFor(field) })),
    { ...target, columns: [labelColumn] },
  ];
  for (const column of sources.flatMap(({ columns }) => columns)) {
    if (!present.includes(column)) throw unknownColumn(column, present, `dataset "${name}"`);
  }
  return sources;
}

/** Blocks of any size become shards of one; one is stored while the next is made. */
export async function writeTensorShards(
  blocks: AsyncIterable<TensorBlock>,
  fields: readonly TensorField[],
  shardRows: number,
  { blobs, onProgress }: TensorSink,
): Promise<TensorShard[]> {
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
  return shards;
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
