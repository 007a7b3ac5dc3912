// MNIST's files (Yann LeCun's IDX format), as rows of tensors for a trainer.

import { readFileSync } from 'node:fs';
import type { TensorSet } from '../../coordinator/index.ts';

export interface IdxFile {
  readonly shape: readonly number[];
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/**
 * Two zeros, the type (8: bytes), the number of dimensions, their sizes as big-endian words, then the bytes.
 * @throws Error naming the file, what it says of itself and what is there.
 */
export function readIdx(file: string): IdxFile {
  const bytes = Uint8Array.from(readFileSync(file));
  const [zero, alsoZero, type, rank = 0] = bytes;
  const start = 4 + 4 * rank;
  if (zero !== 0 || alsoZero !== 0 || type !== 8 || rank === 0 || bytes.length < start) {
    throw new Error(`${file} is no IDX file of bytes.`);
  }
  const words = new DataView(bytes.buffer);
  const shape = Array.from({ length: rank }, (_, axis) => words.getUint32(4 + 4 * axis));
  const size = shape.reduce((product, side) => product * side, 1);
  if (bytes.length !== start + size) {
    throw new Error(`${file} has ${bytes.length - start} values; its header says ${shape.join(' × ')}.`);
  }
  return { shape, bytes: bytes.subarray(start) };
}

export interface Digits extends TensorSet {
  readonly inputs: { readonly values: Uint8Array<ArrayBuffer>; readonly shape: readonly number[] };
  readonly labels: { readonly values: Uint8Array<ArrayBuffer>; readonly shape: readonly number[] };
  readonly rows: number;
}

/** @param folder with the four files of MNIST. @param limit the first so many rows. */
export function readMnist(folder: string, part: 'test' | 'train', limit = Infinity): Digits {
  const name = part === 'train' ? 'train' : 't10k';
  const images = readIdx(`${folder}/${name}-images-idx3-ubyte`);
  const labels = readIdx(`${folder}/${name}-labels-idx1-ubyte`);
  const [count = 0, height = 0, width = 0] = images.shape;
  if (labels.shape[0] !== count) {
    throw new Error(`${folder} has ${count} images and ${labels.shape[0]} labels.`);
  }
  const rows = Math.min(count, limit);
  return {
    rows,
    inputs: { values: images.bytes.subarray(0, rows * height * width), shape: [height, width, 1] },
    labels: { values: labels.bytes.subarray(0, rows), shape: [] },
  };
}
