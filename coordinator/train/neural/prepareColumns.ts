// Turns a dataset of an owner's loop into shards of tensors: a tensor a column. Whole numbers stay whole (int32), all
// others become float32.

import * as arrow from 'apache-arrow';
import { elements } from '../../../shared/neural/graph/graphBuilder.ts';
import type { StoredValues } from '../../../shared/neural/run/tensorShard.ts';
import type { TensorDataset, TensorField } from '../../../shared/neural/run/neuralSpec.ts';
import { typeName } from '../../../shared/columns/typeName.ts';
import type { Dataset } from '../../data/dataset.ts';
import { writeTensorShards, type TensorSink } from './tensorShards.ts';
import { tableBlocks, type TensorBlock, oneBlock, NeuralDataError } from './tensorBlocks.ts';
import { isTable, type LoopData, type TensorColumn } from './tensorSet.ts';

/** @throws NeuralDataError naming the column, NoRowsError, and what the dataset and the blob store throw. */
export async function prepareColumns(name: string, data: LoopData, sink: TensorSink): Promise<TensorDataset> {
  const { fields, blocks } = isTable(data) ? await fromTable(data, sink) : fromMemory(data);
  const inputs = fields.slice(0, -1);
  const target = fields.at(-1);
  if (!target) throw new NeuralDataError(`dataset "${name}" has no columns`);
  return writeTensorShards(name, blocks, { inputs, target }, sink);
}

interface Columns {
  readonly fields: readonly TensorField[];
  readonly blocks: AsyncIterable<TensorBlock>;
}

async function fromTable(data: Dataset, { signal }: TensorSink): Promise<Columns> {
  const options = signal ? { signal } : {};
  const schema = await data.schema(options);
  const [first] = await data.take(1, options);
  const fields = schema.fields.map(({ name, type }): TensorField => {
    const { shape, isWhole } = shapeOf(name, type, first?.[name]);
    const storage = isWhole ? 'int32' : 'float32';
    return { name, shape, storage, dtype: storage, scale: 1, offset: 0 };
  });
  const sources = fields.map((field) => ({ field, columns: [field.name] }));
  return { fields, blocks: tableBlocks(data, sources, options) };
}

/** A list's length is that of the first row: the others must have it too. */
function shapeOf(
  column: string,
  type: arrow.DataType,
  value: unknown,
): { shape: number[]; isWhole: boolean } {
  if (arrow.DataType.isInt(type) || arrow.DataType.isBool(type)) return { shape: [], isWhole: true };
  if (arrow.DataType.isFloat(type) || arrow.DataType.isDecimal(type)) return { shape: [], isWhole: false };
  if (arrow.DataType.isList(type) || arrow.DataType.isFixedSizeList(type)) {
    const items = Array.from((value ?? []) as Iterable<unknown>);
    const inner = shapeOf(column, type.valueType as arrow.DataType, items[0]);
    return { shape: [items.length, ...inner.shape], isWhole: inner.isWhole };
  }
  throw new NeuralDataError(
    `column "${column}" is of type ${typeName(type)}; tensors take numbers or lists of them (drop it, or encode it)`,
    { column },
  );
}

function fromMemory(columns: Readonly<Record<string, TensorColumn>>): Columns {
  const entries = Object.entries(columns);
  const counts = entries.map(([, { values, shape }]) => values.length / elements(shape));
  const rows = counts[0] ?? 0;
  const odd = counts.findIndex((count) => count !== rows || !Number.isInteger(count));
  if (odd !== -1) {
    const [column, { values, shape }] = entries[odd]!;
    throw new NeuralDataError(
      `column "${column}" has ${values.length} values, which are no ${rows} rows of [${shape.join(', ')}]`,
      { column },
    );
  }
  const fields = entries.map(([name, { values, shape }]): TensorField => {
    const dtype = values instanceof Float32Array ? 'float32' : 'int32';
    const storage = values instanceof Uint8Array ? 'uint8' : dtype;
    return { name, shape, storage, dtype, scale: 1, offset: 0 };
  });
  const values = entries.map(([, column]): StoredValues => column.values);
  return { fields, blocks: oneBlock({ rows, columns: values }) };
}
