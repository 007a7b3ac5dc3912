// The weight gradient's product in plain loops with f64 sums.

import type { OpInputs } from '../../gpu/op.ts';
import { examplesOf, floatsOf } from '../kernelCall.ts';
import type { Gather } from './convolutionGeometry.ts';
import type { ProductTile } from './productTile.ts';

export interface WeightProduct {
  readonly name: string;
  /** The forward convolution's. */
  readonly gather: Gather;
  /** Of the image. */
  readonly channels: number;
  /** Of the gradient. */
  readonly columns: number;
  readonly tile: ProductTile;
  /** Parts of the positions that are summed apart, into `partial`; 1 adds to the result. */
  readonly splits: number;
}

/** With splits the whole sum goes into the first part and the others are zero: only their sum is promised. */
export function weightReference(product: WeightProduct, inputs: OpInputs): void {
  const { gather, channels, columns, splits } = product;
  const { vertical, horizontal } = gather;
  const image = floatsOf(inputs, 'image');
  const gradient = floatsOf(inputs, 'gradient');
  const result = floatsOf(inputs, splits === 1 ? 'result' : 'partial');
  const rows = vertical.taps * horizontal.taps * channels;
  const sums = new Float64Array(rows * columns);
  const lines = examplesOf(inputs) * vertical.grid;
  for (let place = 0; place < lines * horizontal.grid; place += 1) {
    const line = Math.floor(place / horizontal.grid);
    const example = Math.floor(line / vertical.grid);
    for (let tap = 0; tap < vertical.taps * horizontal.taps; tap += 1) {
      const [a, b] = [Math.floor(tap / horizontal.taps), tap % horizontal.taps];
      const y = (line % vertical.grid) * vertical.stride + vertical.origin + a * vertical.step;
      const x = (place % horizontal.grid) * horizontal.stride + horizontal.origin + b * horizontal.step;
      if (y < 0 || y >= vertical.source || x < 0 || x >= horizontal.source) continue;
      const pixel = (example * vertical.source + y) * horizontal.source + x;
      for (let c = 0; c < channels; c += 1) {
        const value = image[pixel * channels + c] ?? 0;
        const at = (tap * channels + c) * columns;
        for (let n = 0; n < columns; n += 1) {
          sums[at + n] = (sums[at + n] ?? 0) + value * (gradient[place * columns + n] ?? 0);
        }
      }
    }
  }
  sums.forEach((sum, i) => {
    result[i] = splits === 1 ? (result[i] ?? 0) + sum : sum;
  });
  if (splits > 1) result.fill(0, sums.length, splits * sums.length);
}
