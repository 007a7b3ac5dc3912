import { describe, expect, it } from 'vitest';
import { buildTrainSpec, marginFractionBits } from '../../../shared/gbdt/buildTrainSpec.ts';
import { checkLabel, checkWeight, labelToFixed, weightToFixed } from '../../../shared/gbdt/labels.ts';
import { resolveParams } from '../../../shared/gbdt/params.ts';
import { soloCollective } from '../../../shared/collective/soloCollective.ts';

const regression = resolveParams({});
const logistic = resolveParams({ objective: 'binary:logistic', base_score: 0.2, subsample: 0.5, seed: 3 });
const feature = (name: string, categorical = false) => ({
  name,
  cuts: { cuts: Float32Array.of(1, 2, 3), belowAll: -1, categorical },
});

function specOf(params: ReturnType<typeof resolveParams>) {
  return buildTrainSpec({
    params,
    numBoostRound: 5,
    features: [feature('age'), feature('city', true)],
    target: { maxAbsLabel: 1, maxWeight: 4 },
    trainRows: 1000,
    evaluationSets: ['valid'],
  });
}

describe('a TrainSpec', () => {
  it('is plain JSON that says everything a member needs', () => {
    const spec = specOf(logistic);
    expect(JSON.parse(JSON.stringify(spec))).toEqual(spec);
    expect(spec.device).toMatchObject({ gradient: 'logistic', outputs: 1, slotsPerFeature: [4, 4] });
    expect(spec.device.sampling).toEqual({ seed: 3, threshold: 2 ** 31 });
    expect(spec.device.baseMargin / 2 ** spec.device.marginFractionBits).toBeCloseTo(Math.log(0.2 / 0.8), 5);
    expect(spec.gradientUnit).toBe(4 * 2 ** -24);
    expect(spec.metrics).toEqual(['logloss']);
  });

  it('takes monotone constraints by place or by name, and refuses strangers', () => {
    const signs = (constraints: unknown): number[] =>
      specOf(resolveParams({ monotone_constraints: constraints })).features.map(({ monotone }) => monotone);
    expect(signs([1])).toEqual([1, 0]);
    expect(signs({ city: -1 })).toEqual([0, -1]);
    expect(() => signs([1, 0, 1])).toThrow(/at most 2 signs/);
    expect(() => signs({ town: 1 })).toThrow(/age, city/);
  });

  it.each([1e-30, 1e-3, 1, 1e6, 1e30])('gives squared error a scale that fits labels up to %s', (largest) => {
    for (const rows of [1, 1e6, 3e7, 1e9]) {
      const bits = marginFractionBits(regression, { maxAbsLabel: largest, maxWeight: 1 }, rows);
      const units = Math.max(largest, 0.5) * 2 ** bits;
      expect(units).toBeLessThan(2 ** 28);
      expect(units * rows * 4).toBeLessThan(2 ** 53);
      // And wastes no more than a bit.
      expect(Math.max(units / 2 ** 28, (units * rows * 4) / 2 ** 53)).toBeGreaterThanOrEqual(0.499);
    }
  });
});

describe('labels and weights', () => {
  const place = { column: 'y', row: 41 };

  it.each([NaN, Infinity, 2, 0.5, -1])('refuses %s as a class of two, naming column and row', (label) => {
    expect(() => checkLabel(label, logistic, place)).toThrow(/"y", row 41: .*expected 0 or 1/);
  });

  it('refuses classes beyond num_class, and accepts any finite number for regression', () => {
    const classes = resolveParams({ objective: 'multi:softprob', num_class: 3 });
    expect(() => checkLabel(2, classes, place)).not.toThrow();
    expect(() => checkLabel(3, classes, place)).toThrow(/from 0 to 2/);
    expect(() => checkLabel(-1e30, regression, place)).not.toThrow();
    expect(() => checkLabel(NaN, regression, place)).toThrow(/finite number/);
  });

  it.each([-1, NaN, Infinity])('refuses %s as a weight', (weight) => {
    expect(() => checkWeight(weight, place)).toThrow(/"y", row 41/);
  });

  it('become integers relative to the largest, halves up', () => {
    expect(weightToFixed(2, 4)).toBe(2 ** 23);
    expect(weightToFixed(4, 4)).toBe(2 ** 24);
    expect(weightToFixed(9, 4)).toBe(2 ** 24);
    expect(weightToFixed(0, 0)).toBe(0);
    expect(labelToFixed(1, logistic, 0.25)).toBe(1);
    expect(labelToFixed(-1.5, regression, 0.25)).toBe(-6);
    expect(labelToFixed(1e30, regression, 0.25)).toBe(2 ** 28);
  });
});

describe('a group of one', () => {
  it('answers every operation with what it was given', async () => {
    const data = Float64Array.of(1, 2, 3);
    expect(await soloCollective.allReduce(data)).toBe(data);
    expect(await soloCollective.reduceScatter(data, [0, 3])).toEqual(data);
    expect(await soloCollective.allGather(Uint8Array.of(1), { maxBytes: 1 })).toEqual([Uint8Array.of(1)]);
    expect(await soloCollective.exchange([Uint8Array.of(2)], { maxBytes: 1 })).toEqual([Uint8Array.of(2)]);
    expect(await soloCollective.broadcast(Uint8Array.of(3), 0, { maxBytes: 1 })).toEqual(Uint8Array.of(3));
    await soloCollective.barrier();
  });

  it('honours a withdrawal', async () => {
    const signal = AbortSignal.abort();
    await expect(soloCollective.barrier({ signal })).rejects.toMatchObject({ code: 'ABORTED' });
  });
});
