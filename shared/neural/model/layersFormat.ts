// The folder that tfjs's model.save writes: model.json with the topology and a manifest of weights, and files of weights.
// tf.loadLayersModel reads what is written here, and this reads what tfjs and its Keras converter write. Neither writes nor
// reads all weights as one array: engines have less room for one than for several.

import { z } from 'zod';
import { asKeras2 } from './asKeras2.ts';
import { elementBytes, quantization, weightValues } from './weightValues.ts';
import type { Tensor } from '../state/safetensors.ts';
import { NeuralModelError, WeightsMismatchError } from '../graph/modelErrors.ts';
import { bytesUnder } from '../../../kernels/bytesUnder.ts';

const WEIGHTS_FILE = 'weights.bin';
/** Of one file of weights: well below what one buffer, and one read of a file, may have anywhere. */
const SHARD_BYTES = 256 * 1024 * 1024;

/** Files, and tensors, of all groups together: a model has at most 20,000 layers. */
const MAX_ENTRIES = 50_000;

/** tfjs's own writers say "weights.bin" or "./weights.bin": a file beside model.json, and nowhere else. */
export const weightFileName = z
  .string()
  .max(1024)
  .transform((path) => path.replace(/^\.\//, ''))
  .refine(isPlainName, 'expected the name of a file beside model.json');

function isPlainName(name: string): boolean {
  // eslint-disable-next-line no-control-regex
  return /^[^/\\\u0000-\u001f\u007f]{1,200}$/.test(name) && name !== '.' && name !== '..';
}

const manifest = z.array(
  z.object({
    paths: z.array(weightFileName),
    weights: z.array(
      z.object({
        name: z.string().max(1_000),
        shape: z.array(z.number().int().nonnegative()).max(16),
        dtype: z.string().max(100),
        quantization: quantization.optional(),
      }),
    ),
  }),
);
const modelFile = z.looseObject({ modelTopology: z.unknown(), weightsManifest: manifest.default([]) });

export interface LayersModelFile {
  readonly topology: unknown;
  readonly manifest: z.infer<typeof manifest>;
}

export interface WrittenModel {
  /** model.json's text. */
  readonly modelText: string;
  /** The files beside it: weights in the order of the manifest, cut into files where they are too many for one. */
  readonly files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
}

/** @param shardBytes most bytes of a file of weights. */
export function writeLayersModel(
  topology: unknown,
  weights: ReadonlyMap<string, Tensor>,
  shardBytes = SHARD_BYTES,
): WrittenModel {
  const specs = [...weights].map(([name, { shape }]) => ({ name, shape, dtype: 'float32' }));
  const files = writeShards(weights, shardBytes);
  const modelText = JSON.stringify({
    format: 'layers-model',
    generatedBy: 'tabgrad',
    convertedBy: null,
    modelTopology: topology,
    weightsManifest: [{ paths: [...files.keys()], weights: specs }],
  });
  return { modelText, files };
}

/** Tensors go on from one file to the next, as in the files of tfjs's converter. */
function writeShards(
  weights: ReadonlyMap<string, Tensor>,
  shardBytes: number,
): Map<string, Uint8Array<ArrayBuffer>> {
  const tensors = [...weights.values()].map(({ values }) => bytesUnder(values));
  const all = new FilesInOrder(tensors);
  const count = Math.max(1, Math.ceil(all.length / shardBytes));
  const shards = Array.from({ length: count }, (_, shard) => {
    const name = count === 1 ? WEIGHTS_FILE : `weights-shard${shard + 1}of${count}.bin`;
    const bytes = all.slice(shard * shardBytes, Math.min(all.length, (shard + 1) * shardBytes));
    return [name, bytes] as const;
  });
  return new Map(shards);
}

/** Also a topology alone, as a model's toJSON gives it. @param what the file, for messages. @throws NeuralModelError */
export function readModelJson(text: string, what: string): LayersModelFile {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new NeuralModelError(
      `${what} is no JSON: ${(error as Error).message}`,
      { file: what },
      { cause: error },
    );
  }
  if (typeof value === 'object' && value !== null && 'class_name' in value) {
    return { topology: asKeras2(value), manifest: [] };
  }
  const tooMany = beyondEntries(value);
  if (tooMany !== undefined) throw new NeuralModelError(`${what}: ${tooMany}`, { file: what });
  const parsed = modelFile.safeParse(value);
  if (!parsed.success || parsed.data.modelTopology === undefined) {
    const issue = parsed.error?.issues[0];
    const field = issue?.path.join('.') ?? 'modelTopology';
    throw new NeuralModelError(
      `${what} is no tf.LayersModel: ${field}: ${issue?.message ?? 'it is missing'}`,
      { file: what, field },
    );
  }
  const { modelTopology: topology, weightsManifest } = parsed.data;
  const paths = new Set<string>();
  for (const path of weightsManifest.flatMap((group) => group.paths)) {
    if (paths.has(path)) {
      throw new NeuralModelError(`${what}: weightsManifest names the file "${path}" twice`, { file: what });
    }
    paths.add(path);
  }
  return { topology: asKeras2(topology), manifest: weightsManifest };
}

/** What is too much of a manifest, counted before it is looked at: each wrong entry costs a message. */
function beyondEntries(value: unknown): string | undefined {
  const { weightsManifest: groups } = (value ?? {}) as { readonly weightsManifest?: unknown };
  if (!Array.isArray(groups)) return undefined;
  for (const key of ['paths', 'weights'] as const) {
    const lists = groups.map((group) => (group as Record<string, unknown> | null)?.[key]);
    const entries = lists.reduce<number>(
      (sum, list) => sum + (Array.isArray(list) ? list.length : 0),
      groups.length,
    );
    if (entries > MAX_ENTRIES)
      return `weightsManifest has ${entries} ${key}; expected at most ${MAX_ENTRIES}`;
  }
  return undefined;
}

/**
 * @param files the bytes of each path of the manifest's groups, in order.
 * @throws WeightsMismatchError naming the tensor at which the files end.
 */
export function readWeights(
  groups: LayersModelFile['manifest'],
  files: (path: string) => Uint8Array,
  what: string,
): Map<string, Tensor> {
  const weights = new Map<string, Tensor>();
  for (const { paths, weights: specs } of groups) {
    const bytes = new FilesInOrder(paths.map(files));
    let at = 0;
    for (const { name, shape, dtype, quantization: quantized } of specs) {
      if (dtype !== 'float32') {
        throw new WeightsMismatchError(`${what}: tensor "${name}" is ${dtype}; expected float32`, {
          field: name,
          file: what,
        });
      }
      if (weights.has(name)) {
        throw new WeightsMismatchError(`${what}: the manifest names tensor "${name}" twice`, {
          field: name,
          file: what,
        });
      }
      const end = at + shape.reduce((product, dimension) => product * dimension, elementBytes(quantized));
      if (end > bytes.length) {
        throw new WeightsMismatchError(
          `${what}: the weights are cut short: tensor "${name}" ends at byte ${end}, the files have ${bytes.length}`,
          { field: name, file: what },
        );
      }
      weights.set(name, { shape, values: weightValues(bytes.slice(at, end), quantized) });
      at = end;
    }
    if (at !== bytes.length) {
      throw new WeightsMismatchError(
        `${what}: the weights have ${bytes.length} bytes; the manifest names ${at}`,
        {
          file: what,
        },
      );
    }
  }
  return weights;
}

/** Bytes of several arrays read as if they were one. */
class FilesInOrder {
  readonly length: number;
  readonly #files: readonly Uint8Array[];
  /** Where each begins. */
  readonly #starts: readonly number[];

  constructor(files: readonly Uint8Array[]) {
    this.#files = files;
    let end = 0;
    this.#starts = files.map(({ length }) => (end += length) - length);
    this.length = end;
  }

  /** A copy. */
  slice(from: number, to: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(to - from);
    for (let at = from, k = this.#fileAt(from); at < to; k += 1) {
      const start = this.#starts[k]!;
      const part = this.#files[k]!.subarray(at - start, to - start);
      bytes.set(part, at - from);
      at += part.length;
    }
    return bytes;
  }

  /** The last that begins at or before this byte. */
  #fileAt(at: number): number {
    let [low, high] = [0, this.#files.length];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (this.#starts[middle]! <= at) low = middle;
      else high = middle;
    }
    return low;
  }
}
