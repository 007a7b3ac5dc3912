// A tf.LayersModel as tfjs saves it: a folder with model.json, which has the topology, and files of weights beside it.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { readModelJson } from '../../shared/neural/model/layersFormat.ts';
import { NeuralModelError } from '../../shared/neural/model/modelErrors.ts';
import { INPUTS_FILE, readNetInputs } from '../../shared/neural/predict/netInputs.ts';
import type { Checkpoint } from '../train/checkpoint.ts';
import { readCheckpointFile } from '../train/readCheckpointFile.ts';
import { CheckpointError } from '../train/trainErrors.ts';

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
      // Beside model.json, and nowhere else.
      paths: z.array(z.string().regex(/^[\w.-]{1,200}$/, 'expected the name of a file beside model.json')),
      weights: z.array(weightSpec),
    }),
  )
  .max(1_000);

type WeightSpec = z.output<typeof weightSpec>;

export interface InputScaling {
  readonly scale: number;
  readonly offset: number;
}

export interface LayersFiles {
  readonly modelTopology: object;
  readonly weightSpecs: readonly WeightSpec[];
  /** All weights, one after another; shared, so that replicas need no copy each. */
  readonly weights: SharedArrayBuffer;
  /** By input, what its values become before the model sees them: times scale, plus offset. None: they stay. */
  readonly scalings: readonly InputScaling[];
}

/** Whether a checkpoint's model.json is tfjs's, and not XGBoost's. */
export function isLayersModel(modelText: string): boolean {
  return !/^\s*\{\s*"learner"/.test(modelText) && /"modelTopology"\s*:/.test(modelText);
}

/** Names of the files beside model.json that predictions need. @throws CheckpointError */
export function filesBesideModel(checkpoint: Checkpoint): readonly string[] {
  const { weightsManifest } = parseModel(checkpoint.modelText(), checkpoint.modelPath);
  const weights = weightsManifest.flatMap(({ paths }) => paths);
  return existsSync(join(checkpoint.path, INPUTS_FILE)) ? [...weights, INPUTS_FILE] : weights;
}

/** What a NeuralTrainer did to the inputs, in the model's order; nothing is known of other folders. */
function readScalings(checkpoint: Checkpoint): readonly InputScaling[] {
  const file = join(checkpoint.path, INPUTS_FILE);
  if (!existsSync(file)) return [];
  try {
    return readNetInputs(readFileSync(file, 'utf8'), file);
  } catch (error) {
    if (error instanceof NeuralModelError)
      throw new CheckpointError(error.message, { file }, { cause: error });
    throw error;
  }
}

/** @throws CheckpointError naming the file, and the field or the number of bytes that is wrong. */
export function readLayersFolder(checkpoint: Checkpoint): LayersFiles {
  const file = checkpoint.modelPath;
  const { modelTopology, weightsManifest } = parseModel(checkpoint.modelText(), file);
  const groups = weightsManifest.map(({ paths, weights }) => {
    const parts = paths.map((path) => readCheckpointFile(join(checkpoint.path, path)));
    const expected = weights.reduce((sum, spec) => sum + sizeBytes(spec), 0);
    const found = parts.reduce((sum, part) => sum + part.byteLength, 0);
    if (found !== expected) {
      throw new CheckpointError(
        `The weights ${paths.join(', ')} of ${file} have ${found} bytes; its manifest tells ${expected}.`,
        { file },
      );
    }
    return parts;
  });
  const parts = groups.flat();
  const bytes = new Uint8Array(new SharedArrayBuffer(parts.reduce((sum, part) => sum + part.byteLength, 0)));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.byteLength;
  }
  return {
    modelTopology,
    weightSpecs: weightsManifest.flatMap(({ weights }) => weights),
    weights: bytes.buffer,
    scalings: readScalings(checkpoint),
  };
}

/** What tfjs takes is more than the engine does: other types, and weights that are quantized. */
function parseModel(
  text: string,
  file: string,
): { readonly modelTopology: object; readonly weightsManifest: z.output<typeof weightsManifest> } {
  const { topology, manifest } = asCheckpoint(() => readModelJson(text, file));
  const parsed = weightsManifest.safeParse(manifest);
  if (parsed.success && typeof topology === 'object' && topology !== null)
    return { modelTopology: topology, weightsManifest: parsed.data };
  const issue = parsed.error?.issues[0];
  const field = ['weightsManifest', ...(issue?.path ?? [])].join('.');
  throw new CheckpointError(`${file} is no tf.LayersModel: ${field}: ${issue?.message ?? 'no object'}.`, {
    file,
    field,
  });
}

/** @throws CheckpointError in place of NeuralModelError: here the model is what was to be served. */
function asCheckpoint<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof NeuralModelError)) throw error;
    throw new CheckpointError(`${error.message}.`, error.place, { cause: error });
  }
}

function sizeBytes({ shape, dtype, quantization }: WeightSpec): number {
  const elementBytes = quantization ? quantizedBytes[quantization.dtype] : dtypeBytes[dtype];
  return shape.reduce((product, size) => product * size, elementBytes);
}
