// Convolutions as matrix products whose left matrix is never written down: its rows are positions of a grid, its columns
// (kernel row, kernel column, channel) with channels innermost, and an element is found in an image by two additions.
// The input gradient is such a product too, over the output's gradient. With a stride it falls into phases, one for each
// remainder of the position: inside a phase the same taps reach every position, so nothing is multiplied by zero.

import type { ConvolutionShape } from '../convolution.ts';

/** How a grid lies in the images it reads and writes, along the height or along the width. */
interface GatherAxis {
  /** Positions of the grid. */
  readonly grid: number;
  /** Position p and tap t read the source at p · stride + origin + t · step, which may lie outside: zero. */
  readonly stride: number;
  readonly origin: number;
  readonly taps: number;
  readonly step: number;
  readonly source: number;
  /** Position p is written at p · targetStride + targetOrigin. */
  readonly targetStride: number;
  readonly targetOrigin: number;
  readonly target: number;
  /** Tap t is row (or column) firstTap + t · tapStride of the kernel. */
  readonly firstTap: number;
  readonly tapStride: number;
}

export interface Gather {
  readonly vertical: GatherAxis;
  readonly horizontal: GatherAxis;
}

/** One direction of a convolution. */
interface Direction {
  readonly input: number;
  readonly output: number;
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  readonly pad: number;
}

function directionsOf(shape: ConvolutionShape): [Direction, Direction] {
  return [
    {
      input: shape.inputHeight,
      output: shape.outputHeight,
      kernel: shape.kernelHeight,
      stride: shape.strideHeight,
      dilation: shape.dilationHeight,
      pad: shape.padTop,
    },
    {
      input: shape.inputWidth,
      output: shape.outputWidth,
      kernel: shape.kernelWidth,
      stride: shape.strideWidth,
      dilation: shape.dilationWidth,
      pad: shape.padLeft,
    },
  ];
}

function forwardAxis({ input, output, kernel, stride, dilation, pad }: Direction): GatherAxis {
  return {
    grid: output,
    stride,
    origin: -pad,
    taps: kernel,
    step: dilation,
    source: input,
    targetStride: 1,
    targetOrigin: 0,
    target: output,
    firstTap: 0,
    tapStride: 1,
  };
}

/** Reads the input, writes the output. */
export function forwardGather(shape: ConvolutionShape): Gather {
  const [vertical, horizontal] = directionsOf(shape);
  return { vertical: forwardAxis(vertical), horizontal: forwardAxis(horizontal) };
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

/** Input position x takes from output position (x + pad − tap · dilation) / stride, where that is whole. */
function phaseAxes({ input, output, kernel, stride, dilation, pad }: Direction): GatherAxis[] {
  const axes: GatherAxis[] = [];
  const tapStride = stride / greatestCommonDivisor(stride, dilation);
  for (let phase = 0; phase < Math.min(stride, input); phase += 1) {
    let firstTap = 0;
    while (firstTap < tapStride && (phase + pad - firstTap * dilation) % stride !== 0) firstTap += 1;
    const reached = firstTap < tapStride && firstTap < kernel;
    axes.push({
      grid: Math.ceil((input - phase) / stride),
      stride: 1,
      origin: reached ? (phase + pad - firstTap * dilation) / stride : 0,
      taps: reached ? Math.ceil((kernel - firstTap) / tapStride) : 0,
      step: (-tapStride * dilation) / stride,
      source: output,
      targetStride: stride,
      targetOrigin: phase,
      target: input,
      firstTap,
      tapStride,
    });
  }
  return axes;
}

/** Read the output's gradient, write the input's: together each input position once. */
export function inputGradientGathers(shape: ConvolutionShape): Gather[] {
  const [vertical, horizontal] = directionsOf(shape);
  const columns = phaseAxes(horizontal);
  return phaseAxes(vertical).flatMap((row) =>
    columns.map((column) => ({ vertical: row, horizontal: column })),
  );
}

export function tapsOf({ vertical, horizontal }: Gather): number {
  return vertical.taps * horizontal.taps;
}

/** Positions of the grid in one example. */
export function positionsOf({ vertical, horizontal }: Gather): number {
  return vertical.grid * horizontal.grid;
}

/** No tap of any position lies outside of the source. */
export function staysInside({ vertical, horizontal }: Gather): boolean {
  return [vertical, horizontal].every(({ grid, stride, origin, taps, step, source }) => {
    const first = origin + Math.min(0, (taps - 1) * step);
    const last = (grid - 1) * stride + origin + Math.max(0, (taps - 1) * step);
    return first >= 0 && last < source;
  });
}
