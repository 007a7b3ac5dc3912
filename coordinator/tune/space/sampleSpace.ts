// Draws a value for each domain by the domain's own chances.

import type { ListForm, NumberForm } from './domain.ts';
import { configOf, type Assignment, type SearchSpace } from './searchSpace.ts';
import { randomFromWords } from '../../../shared/text/randomFromWords.ts';

/** The multiple of the step that is nearest to `value`, without the noise of binary fractions (0.1 · 3). */
export function quantise(value: number, { low, high, step }: NumberForm): number {
  const bounded = Math.min(high, Math.max(low, value));
  if (step === undefined) return bounded;
  return Math.min(high, Math.max(low, Number((Math.round(bounded / step) * step).toPrecision(12))));
}

/** A number of the domain. Every multiple of a step is as likely, the ends included, unless it is logarithmic. */
export function sampleNumber(form: NumberForm, random: () => number): number {
  const { low, high, log, step = 0 } = form;
  if (log) return quantise(Math.exp(Math.log(low) + random() * (Math.log(high) - Math.log(low))), form);
  return quantise(low - step / 2 + random() * (high - low + step), form);
}

export function sampleIndex({ values }: ListForm, random: () => number): number {
  return Math.floor(random() * values.length);
}

/**
 * Values for trial `index`.
 * @param fixed values that are decided already, by path.
 */
export function sampleSpace(
  space: SearchSpace,
  seed: number,
  index: number,
  fixed: Assignment = {},
): Assignment {
  const assignment: Record<string, unknown> = {};
  for (const { path, form } of space.dimensions) {
    const random = randomFromWords(seed, index, path);
    if (path in fixed) assignment[path] = fixed[path];
    else if (form.kind === 'number') assignment[path] = sampleNumber(form, random);
    else if (form.kind === 'sampleFrom') assignment[path] = form.sample(configOf(space, assignment), random);
    else assignment[path] = sampleIndex(form, random);
  }
  return assignment;
}
