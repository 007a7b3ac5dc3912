// Losses, gradients and metrics in plain loops.

import type { OpInputs } from '../../gpu/op.ts';
import { examplesOf, floatsOf } from '../kernelCall.ts';
import type { LossForm } from './lossForm.ts';
import { PROBABILITY_MARGIN } from './lossForm.ts';

const cut = (p: number): number =>
  p < PROBABILITY_MARGIN ? PROBABILITY_MARGIN : p > 1 - PROBABILITY_MARGIN ? 1 - PROBABILITY_MARGIN : p;
const isCut = (p: number): boolean => cut(p) !== p;

interface RowLoss {
  readonly loss: number;
  /** Of the row's values. */
  readonly slopes: Float64Array;
  readonly probabilities: Float64Array;
}

function rowLoss(kind: LossForm['kind'], values: Float64Array, targets: Float64Array): RowLoss {
  const sumOf = (f: (i: number) => number) => values.reduce((total, _, i) => total + f(i), 0);
  const mean = 1 / values.length;
  switch (kind) {
    case 'crossEntropyLogits': {
      const top = values.reduce((a, b) => Math.max(a, b));
      const sum = sumOf((i) => Math.exp(values[i]! - top));
      const targetSum = sumOf((i) => targets[i]!);
      const probabilities = values.map((value) => Math.exp(value - top) / sum);
      return {
        loss: sumOf((i) => targets[i]! * (Math.log(sum) - (values[i]! - top))),
        slopes: values.map((_, i) => probabilities[i]! * targetSum - targets[i]!),
        probabilities,
      };
    }
    case 'crossEntropy': {
      const sum = sumOf((i) => values[i]!);
      const probabilities = values.map((value) => value / sum);
      const along = sumOf((i) => (isCut(probabilities[i]!) ? 0 : targets[i]!));
      return {
        loss: -sumOf((i) => targets[i]! * Math.log(cut(probabilities[i]!))),
        slopes: probabilities.map((p, i) => (along - (isCut(p) ? 0 : targets[i]! / p)) / sum),
        probabilities,
      };
    }
    case 'binaryLogits': {
      const probabilities = values.map((value) => 1 / (1 + Math.exp(-value)));
      return {
        loss:
          mean *
          sumOf((i) => {
            const value = values[i]!;
            return Math.max(value, 0) - value * targets[i]! + Math.log1p(Math.exp(-Math.abs(value)));
          }),
        slopes: probabilities.map((p, i) => (p - targets[i]!) * mean),
        probabilities,
      };
    }
    case 'binary':
      return {
        loss:
          -mean *
          sumOf((i) => {
            const p = cut(values[i]!);
            return targets[i]! * Math.log(p) + (1 - targets[i]!) * Math.log(1 - p);
          }),
        slopes: values.map((p, i) => (isCut(p) ? 0 : ((p - targets[i]!) / (p * (1 - p))) * mean)),
        probabilities: values,
      };
    case 'squared':
      break;
  }
  return {
    loss: mean * sumOf((i) => (values[i]! - targets[i]!) ** 2),
    slopes: values.map((value, i) => 2 * (value - targets[i]!) * mean),
    probabilities: values,
  };
}

const firstMaximum = (values: Float64Array): number =>
  values.reduce((best, value, i) => (value > values[best]! ? i : best), 0);

export function lossReference(form: LossForm): (inputs: OpInputs) => void {
  const { rowsPerExample, length, sparse, metrics } = form;
  return (inputs) => {
    const output = floatsOf(inputs, 'output');
    const given = inputs.storage['targets']!;
    const gradient = floatsOf(inputs, 'gradient');
    const rowTotals = floatsOf(inputs, 'rowTotals');
    const rows = examplesOf(inputs) * rowsPerExample;
    const targets = new Float64Array(length);
    for (let row = 0; row < rows; row += 1) {
      const first = row * length;
      const values = Float64Array.from(output.subarray(first, first + length));
      if (sparse) targets.fill(0)[given[row]!] = 1;
      else targets.set(given.subarray(first, first + length));
      const { loss, slopes, probabilities } = rowLoss(form.kind, values, targets);
      for (let i = 0; i < length; i += 1) gradient[first + i] = slopes[i]! / rowsPerExample;
      const mean = (f: (i: number) => number) => values.reduce((sum, _, i) => sum + f(i), 0) / length;
      const at = row * (1 + metrics.length);
      rowTotals[at] = loss;
      metrics.forEach((metric, k) => {
        const difference = (i: number) => probabilities[i]! - targets[i]!;
        const valueOf = {
          meanAbsoluteError: () => mean((i) => Math.abs(difference(i))),
          meanSquaredError: () => mean((i) => difference(i) ** 2),
          accuracy: () =>
            form.accuracyByMaximum
              ? Number(firstMaximum(values) === firstMaximum(targets))
              : mean((i) => Number(probabilities[i]! > 0.5 === targets[i]! > 0.5)),
        };
        rowTotals[at + 1 + k] = valueOf[metric]();
      });
    }
  };
}
