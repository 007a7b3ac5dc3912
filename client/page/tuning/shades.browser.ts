// In how many colours lines of trials are drawn: those of one colour in one stroke, the best on top.

import type { Palette } from '../design/canvas.browser.tsx';

const SHADES = 12;
/** A trial that the filter leaves out. */
export const LEFT_OUT = -1;
/** The best trial of all. */
export const BEST = SHADES + 1;

/** In the order in which they are drawn. */
export function shadeOf(
  trial: number,
  found: ReadonlySet<number>,
  strengths: ReadonlyMap<number, number>,
): number {
  if (!found.has(trial)) return LEFT_OUT;
  const strength = strengths.get(trial) ?? 0;
  return strength === 1 ? BEST : Math.round(strength * SHADES);
}

export function shadeColour(palette: Palette, shade: number): string {
  if (shade === LEFT_OUT) return palette.line;
  return shade === BEST ? palette.good : palette.shade(shade / SHADES);
}
