// Exactness by arithmetic: the largest gradients there can be, times the most rows there can be, in BigInt.

import { describe, expect, it } from 'vitest';
import { MARGIN_LIMIT, ONE } from '../../../kernels/gbdt/fixedPoint.ts';
import { curvature } from '../../../kernels/gbdt/gradients.ts';
import { buildTrainSpec, marginFractionBits } from '../../../shared/gbdt/buildTrainSpec.ts';
import { MOST_ROWS, ROWS_ALWAYS_EXACT, checkGradientSum } from '../../../shared/gbdt/exactSums.ts';
import { LABEL_LIMIT } from '../../../kernels/gbdt/gradientKinds.ts';
import { labelToFixed } from '../../../shared/gbdt/labels.ts';
import { resolveParams } from '../../../shared/gbdt/params.ts';

const EXACT = 2n ** 53n;
const regression = resolveParams({});

function specOf(params: Readonly<Record<string, unknown>>, trainRows: number) {
  return buildTrainSpec({
    params: resolveParams(params),
    numBoostRound: 1,
    features: [{ name: 'x', cuts: { cuts: Float32Array.of(1), belowAll: 0, categorical: false } }],
    target: { maxAbsLabel: 1, maxWeight: 1 },
    trainRows,
    evaluationSets: [],
  });
}

describe('sums of gradients and Hessians', () => {
  it('of classes are exact for 2^29 rows that are all as wrong, or as unsure, as can be', () => {
    expect(MOST_ROWS).toBe(2 ** 29);
    const largestGradient = ONE;
    const largestHessian = 2 * curvature(ONE / 2);
    expect(largestHessian).toBe(ONE / 2);
    for (const each of [largestGradient, largestHessian]) {
      expect(BigInt(each) * BigInt(MOST_ROWS) <= EXACT).toBe(true);
    }
    expect(BigInt(ONE) * BigInt(MOST_ROWS + 1) > EXACT).toBe(true);
  });

  const objectives = [{ objective: 'binary:logistic' }, { objective: 'multi:softprob', num_class: 3 }, {}];
  it.each(objectives)('refuse more rows than that, with %s', (params) => {
    expect(specOf(params, MOST_ROWS).trainRows).toBe(MOST_ROWS);
    expect(() => specOf(params, MOST_ROWS + 1)).toThrow(
      expect.objectContaining({
        code: 'SUMS_INEXACT',
        message: expect.stringContaining('at most 536870912'),
      }),
    );
  });

  it('of squared error are exact with every margin saturated, up to eleven million rows', () => {
    expect(ROWS_ALWAYS_EXACT).toBe(11_184_810);
    expect(BigInt(MARGIN_LIMIT + LABEL_LIMIT) * BigInt(ROWS_ALWAYS_EXACT) <= EXACT).toBe(true);
  });

  it.each([1e-38, 1e-3, 1, 12_345.678, 1e18, 3.4e38])(
    'of squared error are exact with labels up to ±%s and margins of three times that, for any number of rows',
    (largest) => {
      for (const rows of [1, 1000, ROWS_ALWAYS_EXACT, 30_000_000, MOST_ROWS]) {
        const bits = marginFractionBits(regression, { maxAbsLabel: largest, maxWeight: 1 }, rows);
        const label = labelToFixed(-largest, regression, 2 ** -bits);
        // Rounding may add one unit to label and margin each.
        const gradient = 3n * BigInt(Math.ceil(largest * 2 ** bits)) + BigInt(Math.abs(label));
        expect(gradient * BigInt(rows) <= EXACT + 2n * BigInt(rows)).toBe(true);
      }
    },
  );

  it('are refused once margins have run away from the labels, and only where that can matter', () => {
    const spec = specOf({}, ROWS_ALWAYS_EXACT + 1);
    expect(() => checkGradientSum(-(2 ** 52), spec)).not.toThrow();
    expect(() => checkGradientSum(-(2 ** 52) - 1, spec)).toThrow(
      expect.objectContaining({ code: 'SUMS_INEXACT', message: expect.stringContaining('lower eta') }),
    );
    expect(() => checkGradientSum(2 ** 53, specOf({}, ROWS_ALWAYS_EXACT))).not.toThrow();
    expect(() =>
      checkGradientSum(2 ** 53, specOf({ objective: 'binary:logistic' }, MOST_ROWS)),
    ).not.toThrow();
  });
});
