// Rows of tensors that a program has in memory, without the detour over a table.

import { z } from 'zod';
import type { Dataset } from '../../data/dataset.ts';

const tensorColumn = z.strictObject({
  values: z
    .custom<Float32Array | Int32Array | Uint8Array>((value) => ArrayBuffer.isView(value))
    .meta({ title: 'a Float32Array, Int32Array or Uint8Array' }),
  shape: z.array(z.number()).readonly().describe('Of one row.'),
});
const tensorSet = z.strictObject({
  inputs: z
    .union([tensorColumn, z.record(z.string(), tensorColumn)])
    .describe("By the names of the model's inputs; one column for a model with one input."),
  labels: tensorColumn,
});
const table = z.custom<Dataset>(isTable).meta({ title: 'a Dataset' });

const neuralData = z.union([table, tensorSet]);
const loopData = z.union([table, z.record(z.string(), tensorColumn)]);

export const neuralDatasets = z.strictObject({ train: neuralData, valid: neuralData.optional() });
export const loopDatasets = z.record(
  z.string().regex(/^[\w.-]{1,64}$/, 'expected letters, digits, "_", "-", "." as names'),
  loopData,
);

/** Rows for NeuralTrainer. */
export type NeuralData = z.input<typeof neuralData>;
/** Rows for DataParallelTrainer: columns of a table, or tensors by name. */
export type LoopData = z.input<typeof loopData>;

/** Values of a column in memory, one row after another. */
export type TensorColumn = Readonly<z.input<typeof tensorColumn>>;
/** Inputs and labels in memory. */
export type TensorSet = Readonly<z.input<typeof tensorSet>>;

export function isTensorSet(data: object): data is TensorSet {
  return 'inputs' in data && 'labels' in data && typeof data.inputs === 'object';
}

function isTensorColumn(value: TensorSet['inputs']): value is TensorColumn {
  return 'values' in value && ArrayBuffer.isView(value.values);
}

/** The column of an input; undefined where there is none of that name. */
export function inputColumn({ inputs }: TensorSet, name: string): TensorColumn | undefined {
  if (isTensorColumn(inputs)) return inputs;
  return Object.hasOwn(inputs, name) ? inputs[name] : undefined;
}

export function isTable(data: unknown): data is Dataset {
  return typeof (data as Partial<Dataset> | undefined)?.iterBatches === 'function';
}
