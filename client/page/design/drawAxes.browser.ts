// The frame of a plot: two axes with their round numbers, and where points lie between them.

import { numberWords } from '../words/statusWords.ts';
import type { Drawing } from './canvas.browser.tsx';
import { ticksOf, type Scale } from './plotScale.ts';

export interface Plane {
  readonly x: (value: number) => number;
  readonly y: (value: number) => number;
}

const LEFT = 58;
const RIGHT = 12;
const TOP = 10;
const BOTTOM = 24;
const PIXELS_A_TICK = 56;

/** Where values of the two scales lie on a canvas of this size. */
export function planeOf(x: Scale, y: Scale, width: number, height: number): Plane {
  return {
    x: (value) => LEFT + x.place(value) * (width - LEFT - RIGHT),
    y: (value) => height - BOTTOM - y.place(value) * (height - TOP - BOTTOM),
  };
}

export function drawAxes({ context, width, height, palette }: Drawing, x: Scale, y: Scale): Plane {
  const plane = planeOf(x, y, width, height);
  context.strokeStyle = palette.line;
  context.fillStyle = palette.quiet;
  context.lineWidth = 1;
  context.beginPath();
  context.textAlign = 'right';
  context.textBaseline = 'middle';
  for (const value of ticksOf(y, (height - TOP - BOTTOM) / (PIXELS_A_TICK / 1.5))) {
    const at = Math.round(plane.y(value)) + 0.5;
    context.moveTo(LEFT, at);
    context.lineTo(width - RIGHT, at);
    context.fillText(numberWords(value), LEFT - 6, at);
  }
  context.textAlign = 'center';
  context.textBaseline = 'top';
  // Along are trials and iterations: there is nothing between two of them.
  for (const value of ticksOf(x, (width - LEFT - RIGHT) / (PIXELS_A_TICK * 1.5)).filter(Number.isInteger))
    context.fillText(numberWords(value), plane.x(value), height - BOTTOM + 7);
  context.stroke();
  return plane;
}

/** A mark for what ended before its end. */
export function drawCross(context: CanvasRenderingContext2D, x: number, y: number, size = 3): void {
  context.moveTo(x - size, y - size);
  context.lineTo(x + size, y + size);
  context.moveTo(x - size, y + size);
  context.lineTo(x + size, y - size);
}
