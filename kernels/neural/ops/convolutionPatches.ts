// Cuts a convolution into matrix products. Output positions whose kernel meets the image with the same taps (all inner
// positions, say, or those of the upper edge) have patches of one length: these are gathered and multiplied together, and no
// product is computed of the zeros around an image.

import type { ConvolutionShape } from '../convolution.ts';

/** Positions of a block, unless an image has fewer. */
const BLOCK_POSITIONS = 128;

/** Output positions whose patches have the same length, at most BLOCK_POSITIONS. */
export interface PatchBlock {
  readonly positions: number;
  /** Where the input channels of a position's first tap begin, [positions]. */
  readonly images: Int32Array;
  /** Where the filters of a position begin in the output, [positions]. */
  readonly outputs: Int32Array;
}

/** Numbers of a patch that lie side by side both in the image and in the kernel: those of one tap, or of a row of taps. */
interface PatchRun {
  /** From the patch's first number in the image. */
  readonly offset: number;
  /** Row of the kernel, as a matrix of taps · channels × filters. */
  readonly kernelRow: number;
  readonly length: number;
}

/** The taps that meet the image, the same for every position of the class. */
export interface TapClass {
  readonly runs: readonly PatchRun[];
  /** Numbers of a patch. */
  readonly patchLength: number;
  readonly blocks: (examples: number) => Iterable<PatchBlock>;
}

interface TapRange {
  readonly first: number;
  readonly end: number;
  /** Rows or columns of the output that have this range. */
  readonly places: number[];
}

/** Along one dimension: which taps of the kernel meet the image, for which places of the output. */
function tapRanges(
  outputs: number,
  inputs: number,
  { taps, stride, dilation, pad }: { taps: number; stride: number; dilation: number; pad: number },
): TapRange[] {
  const ranges = new Map<string, TapRange>();
  for (let place = 0; place < outputs; place += 1) {
    const start = place * stride - pad;
    const first = Math.min(taps, Math.max(0, Math.ceil(-start / dilation)));
    const end = Math.max(first, Math.min(taps, Math.ceil((inputs - start) / dilation)));
    const key = `${first} ${end}`;
    const range = ranges.get(key) ?? { first, end, places: [] };
    range.places.push(place);
    ranges.set(key, range);
  }
  return [...ranges.values()];
}

/** For one group of channels; all positions are in exactly one class. */
export function tapClasses(s: ConvolutionShape): TapClass[] {
  const vertical = tapRanges(s.outputHeight, s.inputHeight, {
    taps: s.kernelHeight,
    stride: s.strideHeight,
    dilation: s.dilationHeight,
    pad: s.padTop,
  });
  const horizontal = tapRanges(s.outputWidth, s.inputWidth, {
    taps: s.kernelWidth,
    stride: s.strideWidth,
    dilation: s.dilationWidth,
    pad: s.padLeft,
  });
  return vertical.flatMap((rows) => horizontal.map((columns) => tapClass(s, rows, columns)));
}

function tapClass(s: ConvolutionShape, rows: TapRange, columns: TapRange): TapClass {
  const runs: PatchRun[] = [];
  const isDense = s.dilationWidth === 1;
  for (let ky = rows.first; ky < rows.end; ky += 1) {
    for (let kx = columns.first; kx < columns.end; kx += isDense ? columns.end : 1) {
      const [down, right] = [(ky - rows.first) * s.dilationHeight, (kx - columns.first) * s.dilationWidth];
      runs.push({
        offset: (down * s.inputWidth + right) * s.inputChannels,
        kernelRow: (ky * s.kernelWidth + kx) * s.inputChannels,
        length: (isDense ? columns.end - kx : 1) * s.inputChannels,
      });
    }
  }
  const patchLength = runs.reduce((sum, { length }) => sum + length, 0);
  return { runs, patchLength, blocks: (examples) => blocksOf(s, rows, columns, examples) };
}

function* blocksOf(
  s: ConvolutionShape,
  rows: TapRange,
  columns: TapRange,
  examples: number,
): Generator<PatchBlock> {
  const images = new Int32Array(BLOCK_POSITIONS);
  const outputs = new Int32Array(BLOCK_POSITIONS);
  let positions = 0;
  for (let example = 0; example < examples; example += 1) {
    for (const row of rows.places) {
      const y = row * s.strideHeight - s.padTop + rows.first * s.dilationHeight;
      for (const column of columns.places) {
        const x = column * s.strideWidth - s.padLeft + columns.first * s.dilationWidth;
        images[positions] = ((example * s.inputHeight + y) * s.inputWidth + x) * s.inputChannels;
        outputs[positions] = ((example * s.outputHeight + row) * s.outputWidth + column) * s.filters;
        positions += 1;
        if (positions < BLOCK_POSITIONS) continue;
        yield { positions, images, outputs };
        positions = 0;
      }
    }
  }
  if (positions > 0) yield { positions, images, outputs };
}
