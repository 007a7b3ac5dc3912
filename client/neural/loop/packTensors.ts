// Tensors of an owner's loop as one flat array for a collective, and back in the form in which they were given.

import type * as tfjs from '@tensorflow/tfjs';
import type { Tensors } from '../../../shared/neural/loop/dataParallelLoop.ts';
import type { Tf } from '../tfjs/loadTfjs.ts';
import { LoopMisuseError } from './loopErrors.ts';

export interface PackedTensors<T extends Tensors> {
  /** All values, one tensor after another. */
  readonly values: Float32Array<ArrayBuffer>;
  /** New tensors of the given form with other values. */
  readonly unpack: (values: Float32Array) => T;
}

/** @param where names the call in messages. @throws LoopMisuseError on what is no float32 tensor. */
export async function packTensors<T extends Tensors>(
  tf: Tf,
  tensors: T,
  where: string,
): Promise<PackedTensors<T>> {
  const list = listOf(tensors);
  for (const [name, tensor] of list) checkTensor(tensor, `${where} ${name}`);
  const parts = await Promise.all(list.map(([, tensor]) => tensor.data<'float32'>()));
  const values = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    values.set(part, offset);
    offset += part.length;
  }
  const shapes = list.map(([name, tensor]) => ({ name, shape: tensor.shape, size: tensor.size }));
  return {
    values,
    unpack(from) {
      let start = 0;
      const made = shapes.map(({ name, shape, size }) => {
        const part = from.slice(start, start + size);
        start += size;
        return [name, tf.tensor(part, shape, 'float32')] as const;
      });
      return inFormOf(tensors, made);
    },
  };
}

function listOf(tensors: Tensors): readonly (readonly [string, tfjs.Tensor])[] {
  if (isTensor(tensors)) return [['the tensor', tensors]];
  return Object.entries(tensors);
}

function inFormOf<T extends Tensors>(form: T, made: readonly (readonly [string, tfjs.Tensor])[]): T {
  if (isTensor(form)) return made[0]![1] as T;
  if (Array.isArray(form)) return made.map(([, tensor]) => tensor) as unknown as T;
  return Object.fromEntries(made) as T;
}

/** By what it can do: a module of the owner's may bring a tfjs of its own. */
function isTensor(value: unknown): value is tfjs.Tensor {
  return typeof value === 'object' && value !== null && 'dataId' in value && 'shape' in value;
}

function checkTensor(value: unknown, where: string): void {
  if (!isTensor(value)) throw new LoopMisuseError(`${where} is no tensor`);
  if (value.dtype !== 'float32') {
    throw new LoopMisuseError(`${where} is of type ${value.dtype}; expected float32 (use toFloat())`);
  }
}
