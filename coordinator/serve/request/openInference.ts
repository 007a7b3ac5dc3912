// Inference requests of the Open Inference Protocol (v2), whatever the model: tensors in, tensors out.
// https://kserve.github.io/website/docs/concepts/architecture/data-plane/v2-protocol

import { z } from 'zod';
import { sizeOf } from '../../../shared/serve/layersNet.ts';
import { BadRequestError } from '../../http/httpErrors.ts';
import { parseJson } from './readRows.ts';
import { ServeInputError } from './serveErrors.ts';
import { bodyText } from '../../http/bodyText.ts';
import { readRawTensor, type RawInput } from './rawTensor.ts';
import { readBinaryTensor, readJsonTensor, type InputTensor } from './tensors.ts';
import { tensorTypes } from './tensorTypes.ts';

/** A tensor of the answer. */
interface OutputTensor {
  readonly name: string;
  readonly datatype: 'FP32' | 'INT32' | 'BOOL';
  readonly shape: readonly number[];
  /** Values as a JSON array, or as little-endian bytes. */
  readonly data: string | Uint8Array;
}

/** The answer less model_name and model_version, which the server knows. */
export interface InferAnswer {
  readonly id: string | undefined;
  readonly outputs: readonly OutputTensor[];
}

const MAX_ELEMENTS = 1 << 28;
/** One a feature. */
const MAX_INPUTS = 16_384;
const parameters = z.record(z.string().max(200), z.unknown()).optional();
const inferRequest = z.object({
  id: z.string().max(200).optional(),
  parameters,
  inputs: z
    .array(
      z.object({
        name: z.string().max(1_000),
        shape: z.array(z.number().int().min(0).max(MAX_ELEMENTS)).min(1).max(8),
        datatype: z.string().max(20),
        parameters,
        data: z.unknown().optional(),
      }),
    )
    .min(1)
    .max(MAX_INPUTS),
  outputs: z
    .array(z.object({ name: z.string().max(1_000), parameters }))
    .max(100)
    .optional(),
});

type InferRequest = z.infer<typeof inferRequest>;

export interface Inference {
  readonly id: string | undefined;
  readonly inputs: readonly InputTensor[];
  /** Names of the outputs that are asked for, and whether as bytes; undefined where the caller wants all. */
  readonly wanted: ReadonlyMap<string, boolean> | undefined;
  /** Whether outputs are wanted as bytes, unless one says otherwise. */
  readonly isBinary: boolean;
}

/**
 * @param headerBytes length of the JSON where binary tensors follow it; undefined when all is JSON; 0 where all is the
 *   bytes of the model's one input, and the outputs are wanted as bytes too.
 * @param rawInput undefined where the model has several.
 * @throws BadRequestError, ServeInputError
 */
export function readInference(
  body: string | Uint8Array,
  headerBytes: number | undefined,
  rawInput: RawInput | undefined,
): Inference {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  if (headerBytes !== undefined && headerBytes > bytes.byteLength) {
    throw new BadRequestError(
      `Inference-Header-Content-Length is ${headerBytes} and the body has ${bytes.byteLength} bytes.`,
    );
  }
  if (headerBytes === 0) {
    return { id: undefined, inputs: [readRawTensor(bytes, rawInput)], wanted: undefined, isBinary: true };
  }
  const request = parseRequest(bodyText(headerBytes === undefined ? body : bytes.subarray(0, headerBytes)));
  const isBinary = request.parameters?.['binary_data_output'] === true;
  return {
    id: request.id,
    inputs: readTensors(request, bytes.subarray(headerBytes ?? bytes.byteLength)),
    wanted:
      request.outputs &&
      new Map(request.outputs.map(({ name, parameters }) => [name, parameters?.['binary_data'] === true])),
    isBinary,
  };
}

/** A computed output, before it is written. */
export interface OutputValues {
  readonly name: string;
  readonly datatype: OutputTensor['datatype'];
  readonly shape: readonly number[];
  readonly values: Float32Array | Int32Array | Uint8Array;
}

/** Writes the outputs that are asked for, as JSON or bytes. @throws ServeInputError naming one that the model does not have. */
export function writeInference(
  { id, wanted, isBinary }: Inference,
  outputs: readonly OutputValues[],
): InferAnswer {
  const names = outputs.map(({ name }) => name);
  const unknown = wanted && [...wanted.keys()].find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw new ServeInputError(
      `The model has no output "${unknown.slice(0, 100)}", only ${names.map((name) => `"${name}"`).join(', ')}.`,
    );
  }
  const chosen = outputs.filter(({ name }) => !wanted || wanted.size === 0 || wanted.has(name));
  return {
    id,
    outputs: chosen.map(({ name, datatype, shape, values }) => ({
      name,
      datatype,
      shape,
      data: (wanted?.get(name) ?? isBinary) ? bytesOf(values) : jsonOf(values, datatype),
    })),
  };
}

/** Every platform that Node runs on is little-endian. */
function bytesOf({ buffer, byteOffset, byteLength }: OutputValues['values']): Uint8Array {
  return new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength).slice();
}

/** JSON has no NaN and no infinities. */
function jsonOf(values: OutputValues['values'], datatype: OutputTensor['datatype']): string {
  if (datatype === 'BOOL') return `[${Array.from(values, (value) => value !== 0).join(',')}]`;
  if (values instanceof Float32Array && !values.every(Number.isFinite))
    return JSON.stringify(Array.from(values));
  return `[${values.join(',')}]`;
}

function parseRequest(text: string): InferRequest {
  const value = parseJson(text, MAX_INPUTS);
  const { inputs } = (value ?? {}) as { inputs?: unknown };
  // Each would be validated before they are counted.
  if (Array.isArray(inputs) && inputs.length > MAX_INPUTS) {
    throw new ServeInputError(`inputs: expected at most ${MAX_INPUTS}, there are ${inputs.length}.`, {
      field: 'inputs',
    });
  }
  const parsed = inferRequest.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const field = issue?.path.join('.') ?? '';
  throw new ServeInputError(`${field === '' ? 'The request' : field}: ${issue?.message ?? 'invalid'}.`, {
    field,
  });
}

function readTensors({ inputs }: InferRequest, binary: Uint8Array): InputTensor[] {
  let at = 0;
  const names = new Set<string>();
  const tensors = inputs.map(({ name, shape, datatype, parameters, data }) => {
    if (names.has(name)) throw new ServeInputError(`There are two tensors "${name}".`, { field: name });
    names.add(name);
    if (!tensorTypes.includes(datatype)) {
      throw new ServeInputError(
        `Tensor "${name}" has datatype "${datatype}"; expected one of ${tensorTypes.join(', ')}.`,
        { field: name },
      );
    }
    const count = sizeOf(shape);
    const size = parameters?.['binary_data_size'];
    if (size === undefined)
      return { name, datatype, shape, values: readJsonTensor(name, datatype, data, shape) };
    if (!Number.isInteger(size) || (size as number) < 0 || at + (size as number) > binary.byteLength) {
      throw new ServeInputError(
        `Tensor "${name}" announces ${JSON.stringify(size)} bytes; ${binary.byteLength - at} are left after the JSON.`,
        { field: name },
      );
    }
    const bytes = binary.subarray(at, (at += size as number));
    return { name, datatype, shape, values: readBinaryTensor(name, datatype, bytes, count) };
  });
  if (at === binary.byteLength) return tensors;
  throw new ServeInputError(
    `${binary.byteLength - at} bytes follow the JSON that belong to no tensor; each names its own as binary_data_size.`,
  );
}
