import { describe, expect, it } from 'vitest';
import { createCpuTreeDevice } from '../../../kernels/gbdt/devices/cpuDevice.ts';
import { boostRound } from '../../../client/gbdt/boostRound.ts';
import { soloCollective } from '../../../shared/collective/soloCollective.ts';
import { AbortedError } from '../../../kernels/errors.ts';
import { writeModel } from '../../../shared/gbdt/model/writeModel.ts';
import { Predictor } from '../../../shared/gbdt/model/predictor.ts';
import { trainOracle } from '../../oracle/xgboost.ts';
import { createNaiveDevice } from './naiveDevice.ts';
import { breastCancer, wine } from './realData.ts';
import { seededRandom } from '../../setup/seededRandom.ts';
import { trainLocally } from './trainLocally.ts';
import { featureBounds } from '../../../shared/gbdt/featureBounds.ts';

const binary = { objective: 'binary:logistic', eval_metric: ['logloss', 'auc'], max_depth: 5 };

describe('the model is the same text', () => {
  const { train, valid } = breastCancer();
  const options = {
    params: { ...binary, subsample: 0.8, colsample_bynode: 0.5 },
    rounds: 4,
    sets: { valid, train },
  };
  const alone = trainLocally(train, options);

  it.each([2, 3, 4, 7])('for %i workers, and metrics are the same bits', async (workers) => {
    const group = await trainLocally(train, { ...options, workers });
    expect(writeModel(group.model)).toBe(writeModel((await alone).model));
    expect(group.history).toEqual((await alone).history);
  });

  it('for more workers than features, and than rows', async () => {
    const data = {
      columns: [Float32Array.of(1, 2, 3, 4, 5, 6), Float32Array.of(0, 0, 1, 1, NaN, 1)],
      labels: Float32Array.of(0, 0, 1, 0, 1, 1),
    };
    const params = { ...binary, min_child_weight: 0 };
    const one = await trainLocally(data, { params, rounds: 3, sets: { train: data } });
    expect(one.model.trees[0]!.left.length).toBeGreaterThan(1);
    const many = await trainLocally(data, { params, rounds: 3, sets: { train: data }, workers: 9 });
    expect(writeModel(many.model)).toBe(writeModel(one.model));
    expect(many.history).toEqual(one.history);
  });

  it('for a different cut of the rows into blocks', async () => {
    const cut = await trainLocally(train, { ...options, blocks: 13, workers: 2 });
    expect(writeModel(cut.model)).toBe(writeModel((await alone).model));
  });

  it('from a device written plainly a second time', async () => {
    const naive = await trainLocally(train, { ...options, createDevice: createNaiveDevice });
    expect(writeModel(naive.model)).toBe(writeModel((await alone).model));
  });

  it('for several classes on several workers and the plain device', async () => {
    const split = wine();
    const params = { objective: 'multi:softprob', num_class: 3, max_depth: 3 };
    const one = await trainLocally(split.train, { params, rounds: 3, sets: split as never });
    const three = await trainLocally(split.train, {
      params,
      rounds: 3,
      workers: 3,
      createDevice: createNaiveDevice,
    });
    expect(writeModel(three.model)).toBe(writeModel(one.model));
    expect(one.model.treeOutputs).toEqual([0, 1, 2, 0, 1, 2, 0, 1, 2]);
  });
});

describe('growing', () => {
  it('makes a single leaf when nothing can be split', async () => {
    const data = { columns: [Float32Array.of(1, 1, NaN, NaN)], labels: Float32Array.of(1, 3, 1, 3) };
    const { model } = await trainLocally(data, { params: { base_score: 0, eta: 1, lambda: 0 }, rounds: 1 });
    expect(Array.from(model.trees[0]!.left)).toEqual([-1]);
    expect(Array.from(new Predictor(model).predict(data.columns, 4))).toEqual([2, 2, 2, 2]);
  });

  it('finds the one split of a step, and sends missing values to their like', async () => {
    const data = {
      columns: [Float32Array.of(1, 2, 3, 4, NaN)],
      labels: Float32Array.of(0, 0, 10, 10, 10),
    };
    const params = { base_score: 5, eta: 1, lambda: 0, max_depth: 1 };
    const { model } = await trainLocally(data, { params, rounds: 1 });
    expect(model.trees[0]!.threshold[0]).toBe(3);
    expect(model.trees[0]!.defaultLeft[0]).toBe(0);
    expect(Array.from(new Predictor(model).predict(data.columns, 5))).toEqual([0, 0, 10, 10, 10]);
  });

  it('never lets a prediction fall with a feature that is constrained to increase', async () => {
    const random = seededRandom(3);
    const columns = [0, 1].map(() => Float32Array.from({ length: 2000 }, random));
    const labels = columns[0]!.map((value, row) => Math.sin(value * 9) + columns[1]![row]!);
    const params = { monotone_constraints: '(1,-1)', max_depth: 6 };
    const { model } = await trainLocally({ columns, labels }, { params, rounds: 10 });
    const steps = Float32Array.from({ length: 200 }, (_, i) => i / 200);
    for (const fixed of [0.1, 0.5, 0.9]) {
      const other = steps.map(() => fixed);
      const rising = new Predictor(model).predict([steps, other], 200);
      const falling = new Predictor(model).predict([other, steps], 200);
      for (let i = 1; i < 200; i += 1) {
        expect(rising[i]!).toBeGreaterThanOrEqual(rising[i - 1]!);
        expect(falling[i]!).toBeLessThanOrEqual(falling[i - 1]!);
      }
    }
  });

  it('parts missing from present values where a constraint allows only that order', async () => {
    const random = seededRandom(5);
    const columns = [
      Float32Array.from({ length: 400 }, () => (random() < 0.3 ? NaN : 1 + Math.floor(random() * 2))),
    ];
    const labels = columns[0]!.map((value) => (Number.isNaN(value) ? 0 : 5));
    const params = {
      objective: 'reg:squarederror',
      monotone_constraints: '(1)',
      max_depth: 2,
      base_score: 0.5,
    };
    const { model } = await trainLocally({ columns, labels }, { params, rounds: 2 });
    const theirs = trainOracle(params, { columns, labels }, 2).booster;
    expect(model.trees[0]!.defaultLeft[0]).toBe(1);
    expect(model.trees[0]!.threshold[0]!).toBeLessThan(1);
    expect(new Predictor(model).predict(columns, 400)).toEqual(theirs.predict({ columns, labels }));
  });

  it('survives labels of any size', async () => {
    for (const scale of [1e-12, 1, 1e12, 1e18]) {
      const labels = Float32Array.of(1, 2, 3, 4).map((label) => label * scale);
      const data = { columns: [Float32Array.of(1, 2, 3, 4)], labels };
      const params = { base_score: 0, eta: 1, lambda: 0, max_depth: 3 };
      const { model } = await trainLocally(data, { params, rounds: 1 });
      if (scale < 1) continue; // Gains below 1e-6 are no splits, as in XGBoost.
      new Predictor(model).predict(data.columns, 4).forEach((value, i) => {
        expect(value / labels[i]!).toBeCloseTo(1, 4);
      });
    }
  });

  it('stops when it is withdrawn', async () => {
    const { spec } = await trainLocally(wine().train, { params: { base_score: 0 }, rounds: 1 });
    const controller = new AbortController();
    controller.abort(new AbortedError('withdrawn by the test'));
    const device = createCpuTreeDevice(spec.device);
    await expect(
      boostRound({ device, collective: soloCollective, spec, round: 0, signal: controller.signal }),
    ).rejects.toThrow('withdrawn by the test');
  });
});

describe('metrics of a round', () => {
  it('leave out what has no value', async () => {
    const { train } = breastCancer();
    const rows = train.labels.length;
    const positives = { ...train, labels: new Float32Array(rows).fill(1) };
    const { history } = await trainLocally(train, { params: binary, rounds: 1, sets: { train, positives } });
    expect(Object.keys(history)).toEqual(['train-logloss', 'train-auc', 'positives-logloss']);
  });
});

describe('feature blocks', () => {
  it('cover all features in order, balanced by slots', () => {
    expect(featureBounds([10, 10, 10, 10], 2)).toEqual([0, 2, 4]);
    expect(featureBounds([256, 4, 4, 4], 2)).toEqual([0, 1, 4]);
    expect(featureBounds([5], 3)).toEqual([0, 0, 1, 1]);
    expect(featureBounds([], 2)).toEqual([0, 0, 0]);
  });
});
