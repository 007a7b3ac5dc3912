// Inference requests on a tree model. Inputs are either one tensor a feature, by name, of shape [rows] or [rows, 1], or a
// single tensor of shape [rows, features] in the model's order.

import { nearestWord } from '../../../shared/text/nearestWord.ts';
import {
  readInference,
  writeInference,
  type InferAnswer,
  type OutputValues,
} from '../request/openInference.ts';
import type { InputTensor } from '../request/tensors.ts';
import type { ModelFeature } from '../../../shared/gbdt/model/modelFeatures.ts';
import { featureNumber } from '../request/featureNumber.ts';
import { ServeInputError } from '../request/serveErrors.ts';

export interface InferModel {
  readonly features: readonly ModelFeature[];
  /** @param raw what was predicted, [row][output]. */
  outputValues(raw: Float32Array, rows: number): readonly OutputValues[];
}

/** The rows of a call, and how their predictions are answered. */
export interface PreparedRows {
  readonly columns: readonly Float32Array[];
  readonly rows: number;
  /** @param predicted [row][output] */
  answer(predicted: Float32Array): unknown;
}

/**
 * @param headerBytes length of the JSON where binary tensors follow it; undefined when all is JSON.
 * @throws BadRequestError, ServeInputError
 */
export function prepareInference(
  model: InferModel,
  body: string | Uint8Array,
  headerBytes: number | undefined,
): PreparedRows {
  const rawInput = { name: 'input', datatype: 'FP32', shape: [null, model.features.length] };
  const inference = readInference(body, headerBytes, rawInput);
  const { columns, rows } = toColumns(inference.inputs, model.features);
  return {
    columns,
    rows,
    answer: (raw): InferAnswer => writeInference(inference, model.outputValues(raw, rows)),
  };
}

function toColumns(
  tensors: readonly InputTensor[],
  features: readonly ModelFeature[],
): { columns: Float32Array[]; rows: number } {
  const [only] = tensors;
  if (tensors.length === 1 && only && only.shape.length === 2 && !features.some((f) => f.name === only.name))
    return matrixColumns(only, features);
  const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  const rows = tensors[0]!.shape[0]!;
  const columns = features.map((feature) => {
    const tensor = byName.get(feature.name);
    if (!tensor) {
      const near = nearestWord(feature.name, [...byName.keys()]);
      const hint = near === undefined ? '' : ` There is "${near.slice(0, 100)}": is it meant?`;
      throw new ServeInputError(`There is no input tensor "${feature.name}".${hint}`, {
        field: feature.name,
      });
    }
    if (tensor.shape[0] !== rows || tensor.values.length !== rows) {
      throw new ServeInputError(
        `Tensor "${feature.name}" has shape [${tensor.shape.join()}]; expected [${rows}], as the first has.`,
        { field: feature.name },
      );
    }
    const column = new Float32Array(rows);
    for (let row = 0; row < rows; row++) column[row] = featureNumber(tensor.values[row], feature, row);
    return column;
  });
  return { columns, rows };
}

function matrixColumns(
  { name, shape, values }: InputTensor,
  features: readonly ModelFeature[],
): { columns: Float32Array[]; rows: number } {
  const [rows = 0, width = 0] = shape;
  if (width !== features.length) {
    throw new ServeInputError(
      `Tensor "${name}" has shape [${shape.join()}]; the model takes [rows, ${features.length}].`,
      { field: name },
    );
  }
  const columns = features.map((feature, index) => {
    // In a matrix of numbers categories can only be codes.
    const reading = feature.codes && { ...feature, codes: undefined };
    const column = new Float32Array(rows);
    for (let row = 0; row < rows; row++) {
      const value = values[row * width + index];
      column[row] = featureNumber(value, isNumber(value) ? (reading ?? feature) : feature, row);
    }
    return column;
  });
  return { columns, rows };
}

function isNumber(value: unknown): boolean {
  return typeof value === 'number' || typeof value === 'bigint';
}
