// The files of a tf.LayersModel, ready for tfjs. tfjs takes more than the compiled engine does (other types of weights,
// quantized ones), so that they are only measured here, and stay bytes.

import { z } from 'zod';
import type { CarriedCheckpoint } from '../../program/carriedCheckpoint.ts';
import type { Tensor } from '../state/safetensors.ts';
import { INPUTS_FILE, readNetInputs, type NetInput } from './netInputs.ts';
import { readModelJson, readWeights, weightFileName } from './layersFormat.ts';
import { quantization } from './weightValues.ts';
import { NeuralModelError, WeightsMismatchError } from '../graph/modelErrors.ts';

const quantizedBytes = { uint8: 1, uint16: 2, float16: 2 } as const;
const dtypeBytes = { float32: 4, int32: 4, bool: 1 } as const;

const weightSpec = z.looseObject({
  name: z.string().min(1).max(1_000),
  shape: z.array(z.number().int().min(0)).max(8),
  dtype: z.enum(['float32', 'int32', 'bool']),
  quantization: z.looseObject({ dtype: z.enum(['uint8', 'uint16', 'float16']) }).optional(),
});

const weightsManifest = z
  .array(
    z.looseObject({
      paths: z.array(weightFileName),
      weights: z.array(weightSpec),
    }),
  )
  .max(1_000);

type WeightSpec = z.output<typeof weightSpec>;

export interface LayersFiles {
  readonly modelTopology: object;
  readonly weightSpecs: readonly WeightSpec[];
  /** All weights, one file after another. */
  readonly weights: readonly Uint8Array[];
  /** By input, what its values become before the model sees them: times scale, plus offset. None: they stay. */
  readonly scalings: readonly NetInput[];
}

/** Names of the files of weights beside model.json. @param file for messages. @throws NeuralModelError */
export function weightFiles(modelText: string, file: string): readonly string[] {
  return parseModel(modelText, file).groups.flatMap(({ paths }) => paths);
}

/**
 * @param file for messages.
 * @throws NeuralModelError, WeightsMismatchError naming the field or the number of bytes that is wrong.
 */
export function readLayersFiles(checkpoint: CarriedCheckpoint, file: string): LayersFiles {
  const { modelTopology, groups } = parseModel(checkpoint.modelText(), file);
  const weights = groups.flatMap(({ paths, weights }) => {
    const parts = paths.map((name) => checkpoint.readBytes(name));
    const expected = weights.reduce((sum, spec) => sum + sizeBytes(spec), 0);
    const found = parts.reduce((sum, part) => sum + part.byteLength, 0);
    if (found === expected) return parts;
    throw new WeightsMismatchError(
      `The weights ${listed(paths)} of ${file} have ${found} bytes; its manifest tells ${expected}`,
      { file },
    );
  });
  return {
    modelTopology,
    weightSpecs: groups.flatMap(({ weights }) => weights),
    weights,
    scalings: checkpoint.fileNames().includes(INPUTS_FILE)
      ? readNetInputs(checkpoint.readText(INPUTS_FILE), INPUTS_FILE)
      : [],
  };
}

/**
 * The weights as numbers; undefined where one is of another type than float32.
 * @param file for messages. @throws WeightsMismatchError naming the tensor that does not fit its bytes.
 */
export function readTensors(
  { weightSpecs, weights }: LayersFiles,
  file: string,
): ReadonlyMap<string, Tensor> | undefined {
  const specs = weightSpecs.map(({ name, shape, dtype, quantization: quantized }) => ({
    name,
    shape,
    dtype,
    ...(quantized && { quantization: quantization.parse(quantized) }),
  }));
  if (specs.some(({ dtype }) => dtype !== 'float32')) return undefined;
  const paths = weights.map((_, at) => String(at));
  return readWeights([{ paths, weights: specs }], (path) => weights[Number(path)]!, file);
}

/** The first few. */
function listed(paths: readonly string[]): string {
  const more = paths.length > 4 ? ` and ${paths.length - 4} more` : '';
  return `${paths.slice(0, 4).join(', ')}${more}`;
}

function parseModel(
  text: string,
  file: string,
): { readonly modelTopology: object; readonly groups: z.output<typeof weightsManifest> } {
  const { topology, manifest } = readModelJson(text, file);
  const parsed = weightsManifest.safeParse(manifest);
  if (parsed.success && typeof topology === 'object' && topology !== null)
    return { modelTopology: topology, groups: parsed.data };
  const issue = parsed.error?.issues[0];
  const field = ['weightsManifest', ...(issue?.path ?? [])].join('.');
  throw new NeuralModelError(`${file} is no tf.LayersModel: ${field}: ${issue?.message ?? 'no object'}`, {
    file,
    field,
  });
}

function sizeBytes({ shape, dtype, quantization }: WeightSpec): number {
  const elementBytes = quantization ? quantizedBytes[quantization.dtype] : dtypeBytes[dtype];
  return shape.reduce((product, size) => product * size, elementBytes);
}
