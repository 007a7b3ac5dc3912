// PBT's exploration, as Ray does it, but never out of the domain.

import { quantise, sampleIndex, sampleNumber } from '../space/sampleSpace.ts';
import type { DomainForm } from '../space/domain.ts';
import type { Assignment, SearchSpace } from '../space/searchSpace.ts';

export interface Perturbation {
  readonly resampleProbability: number;
  readonly perturbationFactors: readonly [number, number];
  readonly random: () => number;
}

/** Values near those of `assignment`: numbers times a factor, choices one place further; now and then drawn anew. */
export function perturb(space: SearchSpace, assignment: Assignment, how: Perturbation): Assignment {
  return Object.fromEntries(
    space.dimensions.map(({ path, form }) => [path, perturbValue(form, assignment[path], how)]),
  );
}

function perturbValue(form: DomainForm, value: unknown, how: Perturbation): unknown {
  const { resampleProbability, perturbationFactors, random } = how;
  if (form.kind === 'sampleFrom' || typeof value !== 'number') return value;
  const isAnew = random() < resampleProbability;
  const isFirst = random() < 0.5;
  if (form.kind !== 'number') {
    if (isAnew) return sampleIndex(form, random);
    return Math.min(form.values.length - 1, Math.max(0, value + (isFirst ? 1 : -1)));
  }
  if (isAnew) return sampleNumber(form, random);
  return quantise(value * perturbationFactors[isFirst ? 0 : 1], form);
}
