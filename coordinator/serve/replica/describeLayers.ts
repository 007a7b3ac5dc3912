// The description of a served tf.LayersModel. A replica tells its inputs and outputs when it has loaded the model: tfjs
// knows them, and is too large to be loaded on the server's own thread.

import type { LayersFacts, TensorInput, TensorOutput } from '../../../shared/serve/layersNet.ts';
import type { ModelDescription, Schema, TensorDescription } from './modelDescription.ts';

export const datatypes = { float32: 'FP32', int32: 'INT32', bool: 'BOOL' } as const;

export function describeLayers({ layers, parameters, inputs, outputs }: LayersFacts): ModelDescription {
  const schemas = (tensors: readonly (TensorInput | TensorOutput)[]): Record<string, Schema> =>
    Object.fromEntries(tensors.map(({ name, shape }) => [name, valueSchema(shape)]));
  return {
    platform: 'tensorflow_layers',
    summary: `a tf.LayersModel of ${layers} layers and ${parameters} parameters`,
    inputs: inputs.map(tensorDescription),
    outputs: outputs.map(tensorDescription),
    row: schemas(inputs),
    predicted: schemas(
      outputs.map((output) => ({ ...output, shape: isOneNumber(output.shape) ? [] : output.shape })),
    ),
    small: undefined,
  };
}

/** Such an output is answered as a number, not as an array of one. */
export function isOneNumber(shape: readonly (number | null)[]): boolean {
  return shape.every((size) => size === 1) && shape.length <= 1;
}

function tensorDescription({ name, dtype, shape }: TensorInput | TensorOutput): TensorDescription {
  return { name, datatype: datatypes[dtype], shape: [-1, ...shape.map((size) => size ?? -1)] };
}

function valueSchema(shape: readonly (number | null)[]): Schema {
  return shape.reduceRight<Schema>(
    (items, size) => ({ type: 'array', items, ...(size !== null && { minItems: size, maxItems: size }) }),
    { type: 'number' },
  );
}
