// The gathered product in plain loops with f64 sums.

import type { OpInputs } from '../../gpu/op.ts';
import { examplesOf, floatsOf } from '../kernelCall.ts';
import type { Gather } from './convolutionGeometry.ts';
import { tapsOf } from './convolutionGeometry.ts';
import { activate } from './finish.ts';
import type { Finish } from './finish.ts';
import type { ProductTile } from './productTile.ts';

export interface GatherProduct {
  readonly name: string;
  readonly gathers: readonly Gather[];
  /** Of the image that is read. */
  readonly channels: number;
  /** Channels of the result. */
  readonly columns: number;
  readonly tile: ProductTile;
  /** Parts of the inner dimension that are summed apart, into `partial`; 1 writes the result. */
  readonly splits: number;
  /** With splits: elements of `partial` from one part to the next, and before the first. */
  readonly partialStride: number;
  readonly partialOffset: number;
  /** Where the weights are: a binding of their own, or the start of `partial`, which can't be bound twice. */
  readonly weights: 'partial' | 'weights';
  readonly finish: Finish;
}

/** With splits the whole sum goes into the first part and the others are zero: only their sum is promised. */
export function gatherReference(product: GatherProduct, inputs: OpInputs): void {
  const { gathers, channels, columns, splits, finish, partialOffset, partialStride } = product;
  const image = floatsOf(inputs, 'image');
  const weights = floatsOf(inputs, product.weights);
  const bias = finish.bias && splits === 1 ? floatsOf(inputs, 'bias') : undefined;
  const result = floatsOf(inputs, splits === 1 ? 'result' : 'partial');
  let firstWeight = 0;
  for (const gather of gathers) {
    for (let example = 0; example < examplesOf(inputs); example += 1) {
      eachPosition(gather, (row, pixels) => {
        for (let column = 0; column < columns; column += 1) {
          let sum = 0;
          pixels.forEach((pixel, tap) => {
            if (pixel === undefined) return;
            const { vertical, horizontal } = gather;
            const at = (example * vertical.source * horizontal.source + pixel) * channels;
            const weight = (firstWeight + tap * channels) * columns + column;
            for (let c = 0; c < channels; c += 1) {
              sum += (image[at + c] ?? 0) * (weights[weight + c * columns] ?? 0);
            }
          });
          const { vertical, horizontal } = gather;
          const at = (example * vertical.target * horizontal.target + row) * columns + column;
          if (splits === 1) {
            const before = finish.accumulate ? (result[at] ?? 0) : 0;
            result[at] = before + activate(finish.activation, sum + (bias?.[column] ?? 0));
          } else {
            for (let part = 0; part < splits; part += 1) {
              result[partialOffset + part * partialStride + at] = part === 0 ? sum : 0;
            }
          }
        }
      });
    }
    firstWeight += tapsOf(gather) * channels;
  }
}

/** Calls `visit` with a row of the result and the pixel of each tap; undefined outside of the image. */
function eachPosition(
  { vertical, horizontal }: Gather,
  visit: (row: number, pixels: readonly (number | undefined)[]) => void,
): void {
  for (let i = 0; i < vertical.grid; i += 1) {
    for (let j = 0; j < horizontal.grid; j += 1) {
      const pixels: (number | undefined)[] = [];
      for (let a = 0; a < vertical.taps; a += 1) {
        for (let b = 0; b < horizontal.taps; b += 1) {
          const y = i * vertical.stride + vertical.origin + a * vertical.step;
          const x = j * horizontal.stride + horizontal.origin + b * horizontal.step;
          const inside = y >= 0 && y < vertical.source && x >= 0 && x < horizontal.source;
          pixels.push(inside ? y * horizontal.source + x : undefined);
        }
      }
      const y = i * vertical.targetStride + vertical.targetOrigin;
      const x = j * horizontal.targetStride + horizontal.targetOrigin;
      visit(y * horizontal.target + x, pixels);
    }
  }
}
