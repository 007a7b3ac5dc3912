// Losses, gradients and metrics in plain loops, in f64 and rounded once. Exponentials and logarithms are those that have the same
// bits everywhere: this is what the processor computes with, too.

import { deterministicExp } from '../../fixed/deterministicExp.ts';
import { deterministicLog } from '../../fixed/deterministicLog.ts';
import type { OpInputs } from '../../gpu/op.ts';
import { examplesOf, floatsOf } from '../kernelCall.ts';
import { sigmoid, softplus } from './exactFunctions.ts';
import type { LossForm, LossMetric } from './lossForm.ts';
import { PROBABILITY_MARGIN } from './lossForm.ts';

const cut = (p: number): number =>
  p < PROBABILITY_MARGIN ? PROBABILITY_MARGIN : p > 1 - PROBABILITY_MARGIN ? 1 - PROBABILITY_MARGIN : p;
const isCut = (p: number): boolean => cut(p) !== p;

/** A row: what is given, and what a loss finds. */
interface Row {
  readonly values: Float64Array;
  readonly targets: Float64Array;
  /** Of the row's values. */
  readonly slopes: Float64Array;
  readonly probabilities: Float64Array;
}

/** Fills slopes and probabilities. @returns the loss. */
type RowLoss = (row: Row) => number;

function crossEntropyLogits({ values, targets, slopes, probabilities }: Row): number {
  const { length } = values;
  let top = -Infinity;
  for (let i = 0; i < length; i += 1) top = Math.max(top, values[i]!);
  let sum = 0;
  let targetSum = 0;
  for (let i = 0; i < length; i += 1) {
    const power = deterministicExp(values[i]! - top);
    probabilities[i] = power;
    sum += power;
    targetSum += targets[i]!;
  }
  const logSum = deterministicLog(sum);
  let loss = 0;
  for (let i = 0; i < length; i += 1) {
    probabilities[i]! /= sum;
    loss += targets[i]! * (logSum - (values[i]! - top));
    slopes[i] = probabilities[i]! * targetSum - targets[i]!;
  }
  return loss;
}

function crossEntropy({ values, targets, slopes, probabilities }: Row): number {
  const { length } = values;
  let sum = 0;
  for (let i = 0; i < length; i += 1) sum += values[i]!;
  let along = 0;
  let loss = 0;
  for (let i = 0; i < length; i += 1) {
    const p = values[i]! / sum;
    probabilities[i] = p;
    if (!isCut(p)) along += targets[i]!;
    loss -= targets[i]! * deterministicLog(cut(p));
  }
  for (let i = 0; i < length; i += 1) {
    const p = probabilities[i]!;
    slopes[i] = (along - (isCut(p) ? 0 : targets[i]! / p)) / sum;
  }
  return loss;
}

function binaryLogits({ values, targets, slopes, probabilities }: Row): number {
  const mean = 1 / values.length;
  let loss = 0;
  for (let i = 0; i < values.length; i += 1) {
    const p = sigmoid(values[i]!);
    probabilities[i] = p;
    slopes[i] = (p - targets[i]!) * mean;
    loss += softplus(values[i]!) - values[i]! * targets[i]!;
  }
  return mean * loss;
}

function binary({ values, targets, slopes, probabilities }: Row): number {
  const mean = 1 / values.length;
  let loss = 0;
  for (let i = 0; i < values.length; i += 1) {
    const value = values[i]!;
    const target = targets[i]!;
    const p = cut(value);
    probabilities[i] = value;
    slopes[i] = isCut(value) ? 0 : ((value - target) / (value * (1 - value))) * mean;
    loss -= target * deterministicLog(p) + (1 - target) * deterministicLog(1 - p);
  }
  return mean * loss;
}

function squared({ values, targets, slopes, probabilities }: Row): number {
  const mean = 1 / values.length;
  let loss = 0;
  for (let i = 0; i < values.length; i += 1) {
    const away = values[i]! - targets[i]!;
    probabilities[i] = values[i]!;
    slopes[i] = 2 * away * mean;
    loss += away * away;
  }
  return mean * loss;
}

const rowLosses: Readonly<Record<LossForm['kind'], RowLoss>> = {
  crossEntropyLogits,
  crossEntropy,
  binaryLogits,
  binary,
  squared,
};

const firstMaximum = (values: Float64Array): number =>
  values.reduce((best, value, i) => (value > values[best]! ? i : best), 0);

function metricOf(metric: LossMetric, byMaximum: boolean, row: Row): number {
  const { values, targets, probabilities } = row;
  if (metric === 'accuracy' && byMaximum) return Number(firstMaximum(values) === firstMaximum(targets));
  let sum = 0;
  for (let i = 0; i < values.length; i += 1) {
    const away = probabilities[i]! - targets[i]!;
    if (metric === 'meanAbsoluteError') sum += Math.abs(away);
    else if (metric === 'meanSquaredError') sum += away * away;
    else sum += Number(probabilities[i]! > 0.5 === targets[i]! > 0.5);
  }
  return sum / values.length;
}

export function lossReference(form: LossForm): (inputs: OpInputs) => void {
  const { rowsPerExample, length, sparse, metrics, accuracyByMaximum } = form;
  const lossOf = rowLosses[form.kind];
  return (inputs) => {
    const output = floatsOf(inputs, 'output');
    const given = inputs.storage['targets']!;
    const gradient = floatsOf(inputs, 'gradient');
    const rowTotals = floatsOf(inputs, 'rowTotals');
    const rows = examplesOf(inputs) * rowsPerExample;
    const [values, targets, slopes, probabilities] = [0, 0, 0, 0].map(() => new Float64Array(length));
    const each: Row = {
      values: values!,
      targets: targets!,
      slopes: slopes!,
      probabilities: probabilities!,
    };
    for (let row = 0; row < rows; row += 1) {
      const first = row * length;
      each.values.set(output.subarray(first, first + length));
      if (sparse) each.targets.fill(0)[given[row]!] = 1;
      else each.targets.set(given.subarray(first, first + length));
      const at = row * (1 + metrics.length);
      rowTotals[at] = lossOf(each);
      for (let i = 0; i < length; i += 1) gradient[first + i] = each.slopes[i]! / rowsPerExample;
      metrics.forEach((metric, k) => {
        rowTotals[at + 1 + k] = metricOf(metric, accuracyByMaximum, each);
      });
    }
  };
}
