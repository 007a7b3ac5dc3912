import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fromItems } from '../../../coordinator/data/fromMemory.ts';
import { GBDTPredictor } from '../../../coordinator/predict/gbdtPredictor.ts';
import type { Checkpoint } from '../../../coordinator/checkpoint/checkpoint.ts';
import { GBDTTrainer } from '../../../coordinator/train/gbdt/gbdtTrainer.ts';
import { trainOracle } from '../../oracle/xgboost.ts';
import { inProcessWorld } from '../train/inProcessCluster.ts';

let folder = '';
let binary: Checkpoint;
let classes: Checkpoint;

const rows = Array.from({ length: 600 }, (_, row) => ({
  size: row % 10 === 3 ? null : (row * 37) % 100,
  colour: row % 13 === 0 ? null : ['red', 'green', 'blue'][(row * 7) % 3]!,
  big: (row * 37) % 100 > 50,
}));

async function fit(
  name: string,
  params: object,
  label: (row: (typeof rows)[number]) => number,
): Promise<Checkpoint> {
  const train = fromItems(rows.map((row) => ({ ...row, y: label(row) })));
  const trainer = new GBDTTrainer(
    {
      datasets: { train },
      labelColumn: 'y',
      params: { max_depth: 3, ...params },
      numBoostRound: 4,
      runConfig: { name, storagePath: folder },
    },
    inProcessWorld(),
  );
  return (await trainer.fit()).checkpoint;
}

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'tabgrad-predict-'));
  binary = await fit('binary', { objective: 'binary:logistic' }, (row) =>
    Number(row.big !== (row.colour === 'red')),
  );
  classes = await fit('classes', { objective: 'multi:softprob', num_class: 3 }, (row) =>
    row.colour === null ? 0 : ['red', 'green', 'blue'].indexOf(row.colour),
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

const batch = {
  big: [true, false, null],
  other: ['x', 'y', 'z'],
  colour: ['red', 'red', 'green'],
  size: Float64Array.of(80, 20, 80),
};

describe('GBDTPredictor', () => {
  it('takes columns by name in any order, ignores others, and returns one column of predictions', () => {
    const predictor = GBDTPredictor.fromCheckpoint(binary);
    const result = predictor.call(batch);
    expect(Object.keys(result)).toEqual(['predictions']);
    const [red80, red20, green80] = result['predictions'] as Float32Array;
    expect(red80).toBeLessThan(0.35);
    expect(red20).toBeGreaterThan(0.65);
    expect(green80).toBeGreaterThan(0.65);
  });

  it('predicts the same from strings as the model does from the codes of its categories', () => {
    const names = binary.metadata().features[1]!.categories!;
    const direct = binary.toPredictor().predict(
      [batch.size, batch.colour.map((name) => names.indexOf(name)), [1, 0, NaN]].map((column) =>
        Float32Array.from(column),
      ),
      3,
    );
    expect(new GBDTPredictor(binary).call(batch)['predictions']).toEqual(direct);
  });

  it('treats unseen categories, null and NaN as missing', () => {
    const predictor = new GBDTPredictor(binary);
    const [unseen, missing] = predictor.call({
      size: [NaN, null],
      colour: ['violet', null],
      big: [true, true],
    })['predictions'] as Float32Array;
    expect(unseen).toBe(missing);
  });

  it('returns a column a class for several classes; they sum to one', () => {
    const result = new GBDTPredictor(classes).call(batch);
    expect(Object.keys(result)).toEqual(['predictions_0', 'predictions_1', 'predictions_2']);
    for (let row = 0; row < 3; row++) {
      const chances = Object.values(result).map((column) => column[row] as number);
      expect(chances.reduce((a, b) => a + b)).toBeCloseTo(1, 6);
      expect(chances.indexOf(Math.max(...chances))).toBe(row === 2 ? 1 : 0);
    }
  });

  it('hands through the columns that it is told to', () => {
    const some = new GBDTPredictor(binary, { keepColumns: ['other'], outputColumn: 'late' }).call(batch);
    expect(Object.keys(some)).toEqual(['other', 'late']);
    expect(some['other']).toBe(batch.other);
    expect(Object.keys(new GBDTPredictor(binary, { keepColumns: true }).call(batch))).toEqual([
      'big',
      'other',
      'colour',
      'size',
      'predictions',
    ]);
  });

  it('works as the class that mapBatches makes, for batches of any size, rows in order', async () => {
    const data = fromItems(rows);
    const whole = new GBDTPredictor(binary).call({
      size: rows.map(({ size }) => size),
      colour: rows.map(({ colour }) => colour),
      big: rows.map(({ big }) => big),
    })['predictions'] as Float32Array;
    for (const batchSize of [1, 64, 65, 1000]) {
      const predicted = data.mapBatches(GBDTPredictor, {
        fnConstructorArgs: [binary],
        batchSize,
        concurrency: 2,
      });
      expect((await predicted.takeAll()).map((row) => row['predictions'])).toEqual([...whole]);
    }
  });

  it('refuses to replace a kept column, columns of unequal length and infinities', () => {
    const keeping = new GBDTPredictor(binary, { keepColumns: true });
    const taken = { ...batch, predictions: [7, 7, 7] };
    expect(() => keeping.call(taken)).toThrow(
      /has a column "predictions" already, .* choose another outputColumn/,
    );
    expect(new GBDTPredictor(binary).call(taken)['predictions']).toHaveLength(3);
    const renamed = new GBDTPredictor(binary, { keepColumns: true, outputColumn: 'p' }).call(taken);
    expect(renamed['predictions']).toEqual([7, 7, 7]);
    const predictor = new GBDTPredictor(binary);
    expect(() => predictor.call({ ...batch, colour: ['red'] })).toThrow(
      /Column "colour" has 1 rows, column "big" 3/,
    );
    expect(() => predictor.call({ ...batch, size: [1, Infinity, 2] })).toThrow(
      /Column "size", row 1 holds an infinite/,
    );
    expect(() => predictor.call({ ...batch, size: [1, 2, 1e39] })).toThrow(/Column "size", row 2/);
  });

  it('takes features that are called as properties of every object', async () => {
    const items = rows.map(({ size, big }) => ({ constructor: size, toString: Number(big), y: Number(big) }));
    const trained = await new GBDTTrainer(
      {
        datasets: { train: fromItems(items) },
        labelColumn: 'y',
        params: { objective: 'binary:logistic', max_depth: 2, monotone_constraints: { toString: 1 } },
        runConfig: { name: 'properties', storagePath: folder },
      },
      inProcessWorld(),
    ).fit();
    const predictor = new GBDTPredictor(trained.checkpoint);
    const predicted = predictor.call({ constructor: [1, 1] as never, toString: [0, 1] as never });
    const [low, high] = predicted['predictions'] as Float32Array;
    expect(low).toBeLessThan(0.5);
    expect(high).toBeGreaterThan(0.5);
    expect(() => predictor.call({ constructor: [1] as never })).toThrow(/No column "toString"/);
  });

  it('takes batches without rows', () => {
    expect(new GBDTPredictor(binary).call({ size: [], colour: [], big: [] })['predictions']).toHaveLength(0);
  });

  it('names a column that is missing and the nearest one', () => {
    const { size, ...rest } = batch;
    expect(() => new GBDTPredictor(binary).call({ ...rest, sise: size })).toThrow(
      /No column "size".*did you mean "sise"/,
    );
  });

  it('refuses strings where the model has numbers, and numbers where it has names', () => {
    const predictor = new GBDTPredictor(binary);
    expect(() => predictor.call({ ...batch, size: ['80', '20', '80'] })).toThrow(
      /"size" holds text, e.g. "80"; the model expects numbers/,
    );
    expect(() => predictor.call({ ...batch, colour: [1, 2, 0] })).toThrow(
      /"colour" holds 1; the model knows its categories by name/,
    );
  });

  it('predicts with a model of real XGBoost that names nothing, by the order of columns', () => {
    const columns = [0, 1].map((f) =>
      Float32Array.from({ length: 200 }, (_, row) => ((row + 1) * (f + 3) * 7919) % 100),
    );
    const labels = Float32Array.from({ length: 200 }, (_, row) =>
      Number(columns[0]![row]! > columns[1]![row]!),
    );
    const { booster } = trainOracle({ objective: 'binary:logistic', max_depth: 3 }, { columns, labels }, 5);
    const file = path.join(folder, 'xgb.json');
    writeFileSync(file, booster.save());
    const predictor = new GBDTPredictor(file);
    const ours = predictor.call({ a: columns[0]!, b: columns[1]! })['predictions'] as Float32Array;
    const theirs = booster.predict({ columns, labels: [] });
    expect(Math.max(...ours.map((value, row) => Math.abs(value - theirs[row]!)))).toBeLessThan(1e-6);
    expect(() => predictor.call({ a: columns[0]! })).toThrow(
      /does not name its 2 features and the data has 1 columns/,
    );
  });

  it('refuses folders without a model', () => {
    expect(() => new GBDTPredictor(path.join(folder, 'nowhere'))).toThrow(/No checkpoint at/);
    expect(() => new GBDTPredictor(folder)).toThrow(/has no model.json/);
    const broken = path.join(folder, 'broken.json');
    writeFileSync(broken, '{"learner": {');
    expect(() => new GBDTPredictor(broken)).toThrow(
      expect.objectContaining({ code: 'MODEL_MALFORMED' }) as Error,
    );
  });
});
