// The gradient of each op against finite differences of its own forward reference.

import { expect, it } from 'vitest';
import type { WordArray } from '../../../../kernels/gpu/op.ts';
import { createCpuExecutor } from '../../../../kernels/neural/cpuExecutor.ts';
import { seededNumbers } from '../../seededNumbers.ts';
import { gradientCases, type GradientCase } from './gradientCases.ts';
import { drawn, programOf } from './playOp.ts';

/** Elements of a variable that are moved. */
const TRIED = 12;
/** A power of two: moved values are exact. */
const STEP = 2 ** -7;

type Values = Record<string, WordArray>;

/** What all buffers hold after the plans. */
async function play(each: GradientCase, given: Values): Promise<Record<string, Float32Array>> {
  const { maxExamples, buffers } = each;
  const plans = each.plans({ layer: 'op', maxExamples, adapter: 'software', workspace: 'workspace' });
  const calls = plans.flatMap((plan) => plan.calls);
  const workspaceBytes = Math.max(...plans.map((plan) => plan.workspaceBytes));
  const executor = createCpuExecutor(programOf({ calls, workspaceBytes }, buffers));
  for (const [name, values] of Object.entries(given)) executor.write(name, values);
  executor.setUniform('batch', { examples: maxExamples, step: 3, seed: 1, training: 1 });
  executor.run(calls, maxExamples);
  const read: Record<string, Float32Array> = {};
  for (const [name, { length }] of Object.entries(given)) read[name] = await executor.read(name, 0, length);
  await executor.close();
  return read;
}

function valueOf({ of }: GradientCase, after: Record<string, Float32Array>, given: Values): number {
  const { output, weights, columns = 1, scale = 1 } = of;
  const factors = weights === undefined ? undefined : given[weights]!;
  let sum = 0;
  for (let i = 0; i < after[output]!.length; i += columns) sum += after[output]![i]! * (factors?.[i] ?? 1);
  return scale * sum;
}

it.each(gradientCases.map((each) => [each.title, each] as const))(
  'the gradient of %s is what differences of it say',
  async (_, each) => {
    const given: Values = drawn(each.buffers, 11);
    for (const name of new Set(Object.values(each.gradients)))
      if (name !== each.of.weights) given[name]!.fill(0);
    const after = await play(each, given);
    const here = valueOf(each, after, given);
    const numbers = seededNumbers(5);
    for (const [variable, name] of Object.entries(each.gradients)) {
      const gradient = after[name]!;
      const largest = gradient.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      expect(largest, `${name} is nothing but zeros`).toBeGreaterThan(0);
      const { length } = given[variable]!;
      for (let tried = 0; tried < TRIED; tried += 1) {
        const at = tried < 2 ? tried * (length - 1) : numbers.below(length);
        // From below and from above: where a maximum or a relu turns in between, the gradient lies between them.
        const slopes: number[] = [];
        for (const step of [STEP, -STEP]) {
          const moved = given[variable]!.slice();
          moved[at]! += step;
          slopes.push(
            (valueOf(each, await play(each, { ...given, [variable]: moved }), given) - here) / step,
          );
        }
        // Curvature over a step, and f32 outputs.
        const margin = 0.02 * largest;
        expect(gradient[at], `${name}[${at}]`).toBeGreaterThan(Math.min(...slopes) - margin);
        expect(gradient[at], `${name}[${at}]`).toBeLessThan(Math.max(...slopes) + margin);
      }
    }
  },
);
