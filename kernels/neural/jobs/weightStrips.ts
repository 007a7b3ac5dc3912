// Cuts the gradient of a kernel into strips of its rows (a row is a channel of a tap), each with the positions of the output at
// which one of its taps meets the image: these are the terms of the strip's sums, in their order.

import type { ConvolutionShape } from '../convolution.ts';
import { ROWS_TOGETHER } from '../../wasm/assembly/neural/kernelNumbers.ts';

export interface WeightStrip {
  readonly firstRow: number;
  readonly rows: number;
  /** Positions of the output. */
  readonly y: Range;
  readonly x: Range;
}

interface Range {
  readonly first: number;
  readonly count: number;
}

/** Places of the output at which a tap of `taps` meets the image. */
function rangeOf(
  taps: readonly number[],
  axis: { input: number; output: number; stride: number; dilation: number; pad: number },
): Range {
  const { input, output, stride, dilation, pad } = axis;
  let [first, end] = [output, 0];
  for (const tap of taps) {
    const shift = tap * dilation - pad;
    first = Math.min(first, Math.max(0, Math.ceil(-shift / stride)));
    end = Math.max(end, Math.min(output, Math.ceil((input - shift) / stride)));
  }
  return { first, count: Math.max(0, end - first) };
}

/** Of one tap where the channels are full lanes; else of as many taps as fit, whose values are looked up one by one. */
export function weightStrips(s: ConvolutionShape): WeightStrip[] {
  const { inputChannels: channels, kernelWidth } = s;
  const all = s.kernelHeight * kernelWidth * channels;
  const strips: WeightStrip[] = [];
  for (let firstRow = 0; firstRow < all;) {
    const ofTap = channels % 4 === 0 ? channels - (firstRow % channels) : all - firstRow;
    const rows = Math.min(ROWS_TOGETHER, ofTap);
    const firstTap = Math.floor(firstRow / channels);
    const lastTap = Math.floor((firstRow + rows - 1) / channels);
    const taps = Array.from({ length: lastTap - firstTap + 1 }, (_, k) => firstTap + k);
    strips.push({
      firstRow,
      rows,
      y: rangeOf(
        taps.map((tap) => Math.floor(tap / kernelWidth)),
        {
          input: s.inputHeight,
          output: s.outputHeight,
          stride: s.strideHeight,
          dilation: s.dilationHeight,
          pad: s.padTop,
        },
      ),
      x: rangeOf(
        taps.map((tap) => tap % kernelWidth),
        {
          input: s.inputWidth,
          output: s.outputWidth,
          stride: s.strideWidth,
          dilation: s.dilationWidth,
          pad: s.padLeft,
        },
      ),
    });
    firstRow += rows;
  }
  return strips;
}

/** Where the value of a row of the kernel lies from the first pixel of a position without padding. */
export interface RowPlace {
  readonly down: number;
  readonly right: number;
  /** In floats. */
  readonly offset: number;
}

export function rowPlaces(s: ConvolutionShape): RowPlace[] {
  const places: RowPlace[] = [];
  for (let ky = 0; ky < s.kernelHeight; ky += 1) {
    for (let kx = 0; kx < s.kernelWidth; kx += 1) {
      const down = ky * s.dilationHeight - s.padTop;
      const right = kx * s.dilationWidth - s.padLeft;
      for (let channel = 0; channel < s.inputChannels; channel += 1) {
        places.push({ down, right, offset: (down * s.inputWidth + right) * s.inputChannels + channel });
      }
    }
  }
  return places;
}

/** As weightProduct.ts of the assembly reads them: strips, then rows. */
export function stripTable(s: ConvolutionShape): {
  readonly table: Int32Array<ArrayBuffer>;
  readonly strips: number;
  /** Words before the rows. */
  readonly rowsFrom: number;
} {
  const strips = weightStrips(s);
  const words = strips.flatMap(({ firstRow, rows, y, x }) => [
    firstRow,
    rows,
    y.first,
    y.count,
    x.first,
    x.count,
  ]);
  const rows = rowPlaces(s).flatMap(({ down, right, offset }) => [down, right, offset]);
  return { table: Int32Array.from([...words, ...rows]), strips: strips.length, rowsFrom: words.length };
}
