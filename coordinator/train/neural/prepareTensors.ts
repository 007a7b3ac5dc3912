// Turns a dataset into shards of tensors in the blob store, with one shard's rows in memory at a time.

import type { Dataset } from '../../data/dataset.ts';
import { unknownColumn } from '../../../shared/columns/columnErrors.ts';
import type { NetInput } from '../../../shared/neural/model/netInputs.ts';
import { fieldsOf } from '../../../shared/neural/run/tensorShard.ts';
import type { TensorDataset, TensorField } from '../../../shared/neural/run/neuralSpec.ts';
import type { LossName } from '../../../shared/neural/trainingEngine.ts';
import type { OpenedModel } from '../../checkpoint/modelSource.ts';
import { labelRuleOf } from './labelRule.ts';
import { memoryBlock, tableBlocks, type FieldSource, oneBlock, NeuralDataError } from './tensorBlocks.ts';
import { inputColumn, isTensorSet, type NeuralData, type TensorSet } from './tensorSet.ts';
import { writeTensorShards, type TensorSink } from './tensorShards.ts';
import type { ModelPort } from '../../checkpoint/tfjsThread/tfjsMessages.ts';

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
  return writeTensorShards(name, blocks, { inputs, target }, settings);
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
