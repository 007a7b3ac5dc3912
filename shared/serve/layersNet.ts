// A tf.LayersModel that is served, as the side that reads requests and writes answers has it. It computes in a thread
// beside the server or on a worker of the pool; what it tells from there is checked by the schema here.

import { z } from 'zod';

const count = z.number().int().nonnegative();
/** Of one row; null for any size. */
const rowShape = z.array(count.nullable()).max(16);
const name = z.string().max(1_000);

const tensorInput = z.object({
  name,
  dtype: z.enum(['float32', 'int32']),
  shape: rowShape,
  /** Values are from 0 to below this: places in a table. */
  below: z.number().int().positive().optional(),
});
const tensorOutput = z.object({ name, dtype: z.enum(['float32', 'int32', 'bool']), shape: rowShape });

/** What a model takes and gives. */
export const layersFacts = z.object({
  layers: count,
  parameters: count,
  inputs: z.array(tensorInput).min(1).max(1_000),
  outputs: z.array(tensorOutput).min(1).max(1_000),
});

export type TensorInput = Readonly<z.infer<typeof tensorInput>>;
export type TensorOutput = Readonly<z.infer<typeof tensorOutput>>;
export type LayersFacts = Readonly<z.infer<typeof layersFacts>>;

export type InputValues = Float32Array | Int32Array;
export type OutputValues = Float32Array | Int32Array | Uint8Array;

/** The rows of one input. */
export interface InputRows {
  readonly values: InputValues;
  /** Of one row. */
  readonly shape: readonly number[];
}

/** Rows to predict, in the order of the model's inputs. */
export interface NetRows {
  readonly rows: number;
  readonly inputs: readonly InputRows[];
}

/** What was predicted for the rows, by one output. */
export interface PredictedRows {
  readonly values: OutputValues;
  /** Of one row. */
  readonly shape: readonly number[];
}

export interface LayersNet {
  readonly facts: LayersFacts;
  /** @returns as many as the model has outputs, in its order. */
  predict(rows: NetRows): Promise<readonly PredictedRows[]>;
  /** Predicts a row of zeros. @throws when the answer is another than it was when the model was loaded. */
  checkHealth(): Promise<void>;
  /** Gives back what it holds, where it computes in this thread. */
  close?(): Promise<void>;
}

/** One array of the same kind. */
export function joinValues<T extends OutputValues>(parts: readonly T[]): T {
  const [first] = parts;
  if (parts.length === 1 && first) return first;
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const all = new (first!.constructor as new (length: number) => T)(length);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Numbers in a tensor of that shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
