// Inference requests of the Open Inference Protocol (v2) on a tree model. Inputs are either one tensor a feature, by
// name, of shape [rows] or [rows, 1], or a single tensor of shape [rows, features] in the model's order.
// https://kserve.github.io/website/docs/concepts/architecture/data-plane/v2-protocol

import { z } from 'zod';
import { nearestWord } from '../../../shared/text/nearestWord.ts';
import { BadRequestError } from '../../server/serverErrors.ts';
import type { ModelFeature } from '../../predict/modelFeatures.ts';
import { featureNumber } from '../rows/featureNumber.ts';
import { ServeInputError } from '../serveErrors.ts';
import { bodyText } from './ownerHttp.ts';
import { readBinaryTensor, readJsonTensor, tensorTypes, type TensorValues } from './tensors.ts';

export interface InferModel {
  readonly features: readonly ModelFeature[];
  readonly outputs: number;
  readonly outputName: string;
  predict(columns: readonly Float32Array[], rows: number): Float32Array;
}

/** The answer less model_name and model_version, which the server knows. */
export interface InferAnswer {
  readonly id: string | undefined;
  readonly output: { readonly name: string; readonly datatype: 'FP32'; readonly shape: readonly number[] };
  /** Values as a JSON array, or as little-endian float32. */
  readonly data: string | Uint8Array;
}

const MAX_ELEMENTS = 1 << 28;
const parameters = z.record(z.string().max(200), z.unknown()).optional();
const inferRequest = z.object({
  id: z.string().max(200).optional(),
  parameters,
  inputs: z
    .array(
      z.object({
        name: z.string().max(1_000),
        shape: z.array(z.number().int().min(0).max(MAX_ELEMENTS)).min(1).max(3),
        datatype: z.string().max(20),
        parameters,
        data: z.unknown().optional(),
      }),
    )
    .min(1)
    .max(1_000_000),
  outputs: z
    .array(z.object({ name: z.string().max(1_000), parameters }))
    .max(100)
    .optional(),
});

type InferRequest = z.infer<typeof inferRequest>;

interface Tensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: TensorValues;
}

/**
 * @param headerBytes length of the JSON where binary tensors follow it; undefined when all is JSON.
 * @throws BadRequestError, ServeInputError
 */
export function answerInfer(
  model: InferModel,
  body: string | Uint8Array,
  headerBytes: number | undefined,
): InferAnswer {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  if (headerBytes !== undefined && headerBytes > bytes.byteLength) {
    throw new BadRequestError(
      `Inference-Header-Content-Length is ${headerBytes} and the body has ${bytes.byteLength} bytes.`,
    );
  }
  const request = parseRequest(bodyText(headerBytes === undefined ? body : bytes.subarray(0, headerBytes)));
  const tensors = readTensors(request, bytes.subarray(headerBytes ?? bytes.byteLength));
  const { columns, rows } = toColumns(tensors, model.features);
  const wanted = request.outputs?.[0];
  const unknown = request.outputs?.find(({ name }) => name !== model.outputName);
  if (unknown) {
    throw new ServeInputError(
      `The model has no output "${unknown.name.slice(0, 100)}", only "${model.outputName}".`,
    );
  }
  const predicted = model.predict(columns, rows);
  const isBinary = wanted?.parameters?.['binary_data'] ?? request.parameters?.['binary_data_output'] ?? false;
  return {
    id: request.id,
    output: {
      name: model.outputName,
      datatype: 'FP32',
      shape: model.outputs === 1 ? [rows] : [rows, model.outputs],
    },
    // Every platform that Node runs on is little-endian.
    data: isBinary === true ? new Uint8Array(predicted.buffer) : `[${predicted.join(',')}]`,
  };
}

function parseRequest(text: string): InferRequest {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new BadRequestError(`The request is not JSON: ${(error as Error).message.slice(0, 200)}.`);
  }
  const parsed = inferRequest.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const field = issue?.path.join('.') ?? '';
  throw new ServeInputError(`${field === '' ? 'The request' : field}: ${issue?.message ?? 'invalid'}.`, {
    field,
  });
}

function readTensors({ inputs }: InferRequest, binary: Uint8Array): Tensor[] {
  let at = 0;
  const tensors = inputs.map(({ name, shape, datatype, parameters, data }) => {
    if (!tensorTypes.includes(datatype)) {
      throw new ServeInputError(
        `Tensor "${name}" has datatype "${datatype}"; expected one of ${tensorTypes.join(', ')}.`,
        { field: name },
      );
    }
    const count = shape.reduce((product, size) => product * size, 1);
    const size = parameters?.['binary_data_size'];
    if (size === undefined) return { name, shape, values: readJsonTensor(name, data, count) };
    if (!Number.isInteger(size) || (size as number) < 0 || at + (size as number) > binary.byteLength) {
      throw new ServeInputError(
        `Tensor "${name}" announces ${JSON.stringify(size)} bytes; ${binary.byteLength - at} are left after the JSON.`,
        { field: name },
      );
    }
    const bytes = binary.subarray(at, (at += size as number));
    return { name, shape, values: readBinaryTensor(name, datatype, bytes, count) };
  });
  if (at === binary.byteLength) return tensors;
  throw new ServeInputError(
    `${binary.byteLength - at} bytes follow the JSON that belong to no tensor; each names its own as binary_data_size.`,
  );
}

function toColumns(
  tensors: readonly Tensor[],
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
  { name, shape, values }: Tensor,
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
      column[row] = featureNumber(value, typeof value === 'number' ? (reading ?? feature) : feature, row);
    }
    return column;
  });
  return { columns, rows };
}
