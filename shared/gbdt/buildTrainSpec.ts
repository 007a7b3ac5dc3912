// Puts together what the members of a group must agree on, from the owner's parameters and what preparation saw.

import { highLimb } from '../../kernels/gbdt/fixedPoint.ts';
import { LABEL_LIMIT } from '../../kernels/gbdt/gradientKinds.ts';
import { wideLeafUnits } from '../../kernels/gbdt/wideLeaf.ts';
import { LIMB_BITS, LOGIT_FRACTION_BITS, PROBABILITY_FRACTION_BITS } from '../../kernels/gbdt/treeDevice.ts';
import { scaleByPowerOfTwo } from '../../kernels/fixed/scaleByPowerOfTwo.ts';
import type { FeatureCuts } from './cuts.ts';
import { checkRowCount } from './exactSums.ts';
import { areNumbers } from './labels.ts';
import type { TargetRange } from './labels.ts';
import { objectiveByName } from './objective/registry.ts';
import { outOfRange } from './objective/parameterDefinition.ts';
import type { GbdtParams } from './params.ts';
import { effectiveMetrics } from './params.ts';
import { areShared } from './sharedRows.ts';
import type { TrainSpec } from './trainSpec.ts';

export interface TrainSpecInput {
  readonly params: GbdtParams;
  readonly numBoostRound: number;
  /** Names and cuts of the features, in column order. */
  readonly features: readonly { readonly name: string; readonly cuts: FeatureCuts }[];
  readonly target: TargetRange;
  readonly trainRows: number;
  /** Of all datasets. Few enough are shared; absent: none are. */
  readonly allRows?: number;
  readonly evaluationSets: readonly string[];
}

/**
 * The TrainSpec of a run.
 * @throws ParameterRangeError when monotone_constraints does not fit the features, SumsInexactError for more than 2^29
 * rows.
 */
export function buildTrainSpec(input: TrainSpecInput): TrainSpec {
  const { params, features, target } = input;
  checkRowCount(input.trainRows);
  const objective = objectiveByName(params.objective);
  const fractionBits = marginFractionBits(params, target, input.trainRows);
  const weightUnit = target.maxWeight * 2 ** -PROBABILITY_FRACTION_BITS;
  const isWide = target.isWide === true;
  const isRegression = areNumbers(params);
  const signs = monotoneSigns(params, features);
  return {
    trainer: 'gbdt',
    params,
    numBoostRound: input.numBoostRound,
    features: features.map(({ name, cuts }, index) => ({
      name,
      bins: cuts.cuts.length,
      categorical: cuts.categorical,
      monotone: signs[index] ?? 0,
    })),
    device: {
      gradient: objective.gradient,
      outputs: objective.outputs(params),
      marginFractionBits: fractionBits,
      ...baseMarginOf(objective.baseMargin(params.base_score), fractionBits, isWide && isRegression),
      ...(isWide && { isWide }),
      slotsPerFeature: features.map(({ cuts }) => cuts.cuts.length + 1),
      sampling: { seed: params.seed, threshold: Math.round(params.subsample * 2 ** 32) },
    },
    gradientUnit: isRegression ? scaleByPowerOfTwo(target.maxWeight, -fractionBits) : weightUnit,
    hessianUnit: weightUnit,
    evaluationSets: input.evaluationSets,
    metrics: effectiveMetrics(params),
    trainRows: input.trainRows,
    ...(input.allRows !== undefined && { sharesRows: areShared(input.allRows, features.length) }),
  };
}

function baseMarginOf(
  margin: number,
  fractionBits: number,
  isWide: boolean,
): Pick<TrainSpec['device'], 'baseMargin' | 'baseMarginLow'> {
  if (!isWide) return { baseMargin: Math.round(scaleByPowerOfTwo(margin, fractionBits)) };
  const units = wideLeafUnits(margin, fractionBits);
  const baseMargin = highLimb(units);
  return { baseMargin, baseMarginLow: units - baseMargin * 2 ** LIMB_BITS };
}

/**
 * Fraction bits of margins. Log-odds have fixed ones. Where labels are numbers as many as keep labels within LABEL_LIMIT and
 * sums of gradients (at most 4 · rows · largest label) exact in a double.
 */
export function marginFractionBits(params: GbdtParams, target: TargetRange, rows: number): number {
  if (!areNumbers(params)) return LOGIT_FRACTION_BITS;
  const largest = Math.max(target.maxAbsLabel, Math.abs(params.base_score), 2 ** -60);
  let bits = 0;
  const fits = (candidate: number): boolean =>
    scaleByPowerOfTwo(largest, candidate) < LABEL_LIMIT &&
    scaleByPowerOfTwo(largest * Math.max(1, rows) * 4, candidate) < 2 ** 53;
  while (fits(bits + 1)) bits += 1;
  while (!fits(bits)) bits -= 1;
  return bits;
}

function monotoneSigns(params: GbdtParams, features: TrainSpecInput['features']): (-1 | 0 | 1)[] {
  const constraints = params.monotone_constraints;
  if (Array.isArray(constraints)) {
    if (constraints.length > features.length) {
      throw outOfRange(
        'monotone_constraints',
        constraints,
        `at most ${features.length} signs, one a feature`,
      );
    }
    return features.map((_, index) => (constraints[index] ?? 0) as -1 | 0 | 1);
  }
  const byName = constraints as Readonly<Record<string, number>>;
  const names = features.map(({ name }) => name);
  for (const name of Object.keys(byName)) {
    if (!names.includes(name)) {
      throw outOfRange('monotone_constraints', name, `a feature's name: ${names.join(', ').slice(0, 500)}`);
    }
  }
  return names.map((name) => (Object.hasOwn(byName, name) ? byName[name]! : 0) as -1 | 0 | 1);
}
