// What the shape rules of operations are written with: each says what comes out of its operation, and which weights it needs.

import type { OperationOf, OperationType, Padding, Pair, Shape } from '../layerGraph.ts';

interface Inferred {
  readonly shape: Shape;
  readonly weights: readonly Shape[];
}

/** What is wrong, in words that follow "Layer NAME". */
export type Problem = string;

export type ShapeRule<T extends OperationType> = (
  operation: OperationOf<T>,
  inputs: readonly Shape[],
  declared: Shape,
) => Inferred | Problem;

export const text = (shape: Shape): string => `[${shape.join(', ')}]`;
export const withoutOnes = (shape: Shape): Shape => shape.filter((size) => size !== 1);
export const optional = (present: boolean, shape: Shape): Shape[] => (present ? [shape] : []);

/** Outputs of a window that moves over an image. */
function windowOutputs(
  size: number,
  window: number,
  stride: number,
  dilation: number,
  before: number,
  after: number,
): number {
  return Math.floor((size + before + after - dilation * (window - 1) - 1) / stride) + 1;
}

export function slide(
  shape: Shape,
  window: Pair,
  strides: Pair,
  dilations: Pair,
  padding: Padding,
): Pair | Problem {
  const [height = 0, width = 0] = shape;
  const rows = windowOutputs(height, window[0], strides[0], dilations[0], padding.top, padding.bottom);
  const columns = windowOutputs(width, window[1], strides[1], dilations[1], padding.left, padding.right);
  if (rows >= 1 && columns >= 1) return [rows, columns];
  return `has a window of ${window.join('×')} that does not fit its input ${text(shape)}`;
}

export const isImage = (shape: Shape): boolean => shape.length === 3;
export const notImage = (shape: Shape): Problem =>
  `needs an image [height, width, channels], not ${text(shape)}`;
