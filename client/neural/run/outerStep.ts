// Brings the members together after steps of their own: an SGD step with Nesterov momentum along the mean of what those
// steps took off the parameters (DiLoCo, Douillard et al. 2023). Statistics and the optimizer's arrays become their means
// (SlowMo's average of buffers, Wang et al. 2020), so that all have one state again, as checkpoints and newcomers need it.

import type { LocalSteps } from '../../../shared/neural/run/neuralSpec.ts';
import type { Sections } from '../../../shared/neural/state/namedState.ts';
import type { GenerationContext } from '../../memberRun/memberRun.ts';
import type { GradientSum } from './gradientSum.ts';
import type { MemberState } from './memberState.ts';

type Group = Pick<GenerationContext, 'collective' | 'signal'>;

export interface OuterStep {
  readonly agreed: Sections;
  readonly velocity: Float32Array<ArrayBuffer>;
}

export interface OuterStepOptions extends LocalSteps {
  /** What all had before their own steps. */
  readonly before: Sections;
  readonly bucketBytes: number;
  /** Of differences of parameters. */
  readonly sum: GradientSum;
}

/** Changes nothing yet. The same bits at all members, on whatever device: it is computed here. */
export async function outerStep(
  { engine, velocity: last }: MemberState,
  { before, bucketBytes, sum, outerLearningRate, outerMomentum }: OuterStepOptions,
  group: Group,
): Promise<OuterStep> {
  const [parameters, statistics, optimizer] = await Promise.all([
    engine.read('parameters'),
    engine.read('statistics'),
    engine.read('optimizer'),
  ]);
  const { size } = group.collective;
  const taken = parameters.map((value, at) => before.parameters[at]! - value);
  const step = await sumInBuckets(taken, bucketBytes / 4, sum, size);
  const velocity = new Float32Array(parameters.length);
  for (let at = 0; at < parameters.length; at++) {
    const mean = Math.fround(step[at]! / size);
    velocity[at] = outerMomentum * last[at]! + mean;
    parameters[at] = before.parameters[at]! - outerLearningRate * (mean + outerMomentum * velocity[at]!);
  }
  const agreed = {
    parameters,
    statistics: await meanOf(statistics, group),
    optimizer: await meanOf(optimizer, group),
  };
  return { agreed, velocity };
}

async function sumInBuckets(
  values: Float32Array<ArrayBuffer>,
  length: number,
  sum: GradientSum,
  size: number,
): Promise<Float32Array> {
  if (size === 1) return values;
  const bucketLength = Math.max(1, Math.floor(length));
  const sums: Promise<void>[] = [];
  for (let start = 0; start < values.length; start += bucketLength) {
    const own = values.slice(start, start + bucketLength);
    sums.push(sum.add(sums.length, own).then((all) => values.set(all, start)));
  }
  await Promise.all(sums);
  return values;
}

async function meanOf(
  values: Float32Array<ArrayBuffer>,
  { collective, signal }: Group,
): Promise<Float32Array> {
  if (collective.size === 1 || values.length === 0) return values;
  const sum = await collective.allReduce(values, 'sum', { signal });
  return sum.map((value) => value / collective.size);
}
