import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GBDTPredictor } from '../../../../coordinator/predict/gbdtPredictor.ts';
import { GBDTTrainer } from '../../../../coordinator/train/gbdt/gbdtTrainer.ts';
import type { Result, ResultRecord } from '../../../../coordinator/train/result.ts';
import type { GBDTTrainerOptions } from '../../../../coordinator/train/gbdt/trainerOptions.ts';
import { DeadlineError } from '../../../../kernels/errors.ts';
import { loadOracle } from '../../../oracle/xgboost.ts';
import { inProcessWorld, type ClusterBehaviour } from '../inProcessCluster.ts';
import { tableData, type TableColumn } from '../tableData.ts';

let storagePath = '';
beforeEach(() => void (storagePath = mkdtempSync(path.join(tmpdir(), 'tabgrad-fit-'))));
afterEach(() => rmSync(storagePath, { recursive: true }));

/** Two features, one of them text, and a label that needs both; a fifth of the labels is noise. */
function table(rows: number, seed: number): Record<string, TableColumn> {
  const draw = (row: number, salt: number): number => {
    const mixed = Math.imul((row + 1) ^ Math.imul(seed + salt, 0x9e3779b1), 0x85ebca6b);
    return ((mixed ^ (mixed >>> 13)) >>> 0) / 2 ** 32;
  };
  const indices = Array.from({ length: rows }, (_, row) => row);
  const x = indices.map((row) => Math.round(draw(row, 1) * 1000) / 10);
  const kind = indices.map((row) => (row % 11 === 0 ? null : 'abcde'[Math.floor(draw(row, 2) * 5)]!));
  const y = indices.map((row) =>
    draw(row, 3) < 0.2 ? Number(draw(row, 4) < 0.5) : Number(x[row]! > 50 === (kind[row] !== 'c')),
  );
  return { x, kind, y };
}

function trainer(options: Partial<GBDTTrainerOptions> = {}, behaviour: ClusterBehaviour = {}) {
  const world = inProcessWorld(behaviour);
  const made = new GBDTTrainer(
    {
      datasets: { train: tableData(table(2000, 1)), valid: tableData(table(1000, 2)) },
      labelColumn: 'y',
      params: { objective: 'binary:logistic', max_depth: 3, subsample: 0.8, eval_metric: ['auc', 'logloss'] },
      numBoostRound: 6,
      ...options,
      runConfig: { name: 'run', storagePath, ...options.runConfig },
    },
    world,
  );
  return { trainer: made, world };
}

const folder = (): string => path.join(storagePath, 'run');
const record = (): ResultRecord =>
  JSON.parse(readFileSync(path.join(folder(), 'result.json'), 'utf8')) as ResultRecord;
const modelText = (rounds: number): string =>
  readFileSync(path.join(folder(), 'checkpoints', String(rounds), 'model.json'), 'utf8');
const checkpointNames = (): string[] =>
  readdirSync(path.join(folder(), 'checkpoints')).sort((a, b) => Number(a) - Number(b));

describe('GBDTTrainer', () => {
  it('leaves the result, a line of progress a round, and the model', async () => {
    const { trainer: gbdt, world } = trainer();
    const result = await gbdt.fit();

    expect(result.status).toBe('finished');
    expect(result.metricsTable.map(({ round }) => round)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(Object.keys(result.metrics)).toEqual(['train-auc', 'train-logloss', 'valid-auc', 'valid-logloss']);
    expect(result.metrics['valid-logloss']).toBeLessThan(0.45);
    expect(result.metrics['valid-logloss']).toBe(result.metricsTable[5]!['valid-logloss']);
    expect(result.datasetRows).toEqual({ train: 2000, valid: 1000 });
    expect(result.workers).toEqual([{ workerId: 'w0', runtime: 'node', device: 'cpu', rows: 2000 }]);

    const written = record();
    expect(written).toMatchObject({
      status: 'finished',
      rounds: 6,
      checkpoint: 'checkpoints/6',
      metrics: result.metrics,
    });
    expect(written.scoreMetric).toBe('valid-logloss');
    const lines = readFileSync(path.join(folder(), 'progress.jsonl'), 'utf8').trim().split('\n');
    const progress = lines.map(
      (line) => JSON.parse(line) as { round: number; metrics: Record<string, number> },
    );
    expect(progress.map(({ round, metrics }) => ({ round, ...metrics }))).toEqual(result.metricsTable);
    expect(readdirSync(folder()).sort()).toEqual(['checkpoints', 'progress.jsonl', 'result.json']);
    expect(world.closed()).toBe(1);
  });

  it('writes a model that real XGBoost predicts alike with, and that keeps feature names and categories', async () => {
    const { checkpoint } = await trainer().trainer.fit();
    expect(checkpoint.metadata()).toMatchObject({
      objective: 'binary:logistic',
      rounds: 6,
      features: [
        { name: 'x', type: 'float' },
        { name: 'kind', type: 'c', categories: ['a', 'b', 'c', 'd', 'e'] },
      ],
    });
    const rows = table(500, 3);
    const ours = new GBDTPredictor(checkpoint).call(rows)['predictions'] as Float32Array;
    const kinds = rows['kind'] as (string | null)[];
    const theirs = loadOracle(checkpoint.modelText()).predict({
      columns: [
        Float32Array.from(rows['x'] as number[]),
        Float32Array.from(kinds, (kind) => (kind === null ? NaN : 'abcde'.indexOf(kind))),
      ],
      labels: [],
      categorical: [false, true],
    });
    expect(Math.max(...ours.map((value, row) => Math.abs(value - theirs[row]!)))).toBeLessThan(1e-6);
    expect(new Set(ours).size).toBeGreaterThan(10);
  });

  it('writes the same bytes every time, whatever the run is called', async () => {
    await trainer().trainer.fit();
    const first = modelText(6);
    await trainer({ runConfig: { name: 'other' } }).trainer.fit();
    expect(readFileSync(path.join(storagePath, 'other', 'checkpoints', '6', 'model.json'), 'utf8')).toBe(
      first,
    );
  });

  it('keeps the best checkpoints and the last one', async () => {
    const best = { scoreAttribute: 'valid-logloss', scoreOrder: 'max' } as const;
    const told: string[] = [];
    const { checkpoints } = await trainer({
      runConfig: {
        checkpointConfig: { checkpointFrequency: 2, numToKeep: 1, ...best },
        callbacks: [{ onCheckpoint: ({ path: at }) => told.push(path.basename(at)) }],
      },
    }).trainer.fit();
    expect(told).toEqual(['2', '4', '6']);
    // By the highest loss round two is "best".
    expect(checkpointNames()).toEqual(['2', '6']);
    expect(checkpoints.map((checkpoint) => path.basename(checkpoint.path))).toEqual(['2', '6']);
  });

  it('refuses to replace an earlier run of the same name, before anything is started', async () => {
    await trainer().trainer.fit();
    const before = record();
    const again = trainer({ numBoostRound: 2 });
    await expect(again.trainer.fit()).rejects.toMatchObject({
      code: 'RUN_FOLDER_TAKEN',
      message: expect.stringMatching(
        /holds a finished run, choose another runConfig\.name, replace it by runConfig\.overwrite/,
      ) as string,
    });
    const elsewhere = trainer({ runConfig: { name: 'other' } });
    const { checkpoint } = await elsewhere.trainer.fit();
    const fromThere = trainer({ numBoostRound: 9, resumeFromCheckpoint: checkpoint });
    await expect(fromThere.trainer.fit()).rejects.toMatchObject({ code: 'RUN_FOLDER_TAKEN' });
    expect(record()).toEqual(before);
    expect(checkpointNames()).toEqual(['6']);
  });

  it('keeps the result of a finished run that is to be gone on with and is not', async () => {
    const { checkpoint } = await trainer().trainer.fit();
    const before = record();
    const resume = { resumeFromCheckpoint: checkpoint };
    await expect(trainer(resume).trainer.fit()).rejects.toMatchObject({ code: 'TRAIN_ARGUMENT' });
    expect(record()).toEqual(before);
    await expect(trainer({ ...resume, runConfig: { overwrite: true } }).trainer.fit()).rejects.toMatchObject({
      code: 'TRAIN_ARGUMENT',
      place: { field: 'runConfig.overwrite' },
    });
    await trainer({ ...resume, numBoostRound: 8 }).trainer.fit();
    expect(checkpointNames()).toEqual(['6', '8']);
    expect(record()).toMatchObject({ status: 'finished', rounds: 8 });
  });

  it('overwrites an earlier run of the same name only when it has something to replace it with', async () => {
    await trainer().trainer.fit();
    const overwrite = { runConfig: { overwrite: true } };
    const error = new DeadlineError('nobody answered');
    const failing = trainer(overwrite, { failAfter: { rounds: 0, error } });
    await expect(failing.trainer.fit()).rejects.toThrow('nobody answered');
    expect(checkpointNames()).toEqual(['6']);
    expect(record().status).toBe('failed');
    await trainer({ ...overwrite, numBoostRound: 2 }).trainer.fit();
    expect(checkpointNames()).toEqual(['2']);
    expect(record()).toMatchObject({ status: 'finished', rounds: 2 });
  });
});

describe('early stopping', () => {
  const noisy: Partial<GBDTTrainerOptions> = {
    numBoostRound: 60,
    earlyStoppingRounds: 3,
    params: { objective: 'binary:logistic', max_depth: 6, eta: 1 },
  };

  it('ends after so many rounds without improvement and tells the best one, as XGBoost does', async () => {
    const result = await trainer(noisy).trainer.fit();
    const scores = result.metricsTable.map((row) => row['valid-logloss']!);
    const best = scores.indexOf(Math.min(...scores));
    expect(result.status).toBe('finished');
    expect(scores.length).toBe(best + 1 + 3);
    expect(result.bestIteration).toBe(best);
    expect(result.bestScore).toBe(scores[best]);
    expect(result.bestMetrics['valid-logloss']).toBe(scores[best]);
    const { attributes } = result.checkpoint.metadata();
    expect(attributes).toMatchObject({ best_iteration: String(best), best_score: String(scores[best]) });
  });

  it('gives the same model when the coordinator is elsewhere and some rounds come after the stop', async () => {
    const { rounds } = await trainer(noisy).trainer.fit();
    const here = modelText(rounds);
    await trainer(
      { ...noisy, runConfig: { overwrite: true } },
      { remote: true, roundsAfterStop: 2 },
    ).trainer.fit();
    expect(checkpointNames()).toEqual([String(rounds)]);
    expect(modelText(rounds)).toBe(here);
    expect(record().status).toBe('finished');
  });

  it('finds the same best round where the run was cut short after it and resumed', async () => {
    const whole = await trainer(noisy).trainer.fit();
    const cut = await trainer({
      ...noisy,
      numBoostRound: whole.rounds - 1,
      runConfig: { name: 'cut' },
    }).trainer.fit();
    const resume = { ...noisy, resumeFromCheckpoint: cut.checkpoint, runConfig: { name: 'resumed' } };
    const resumed = await trainer(resume).trainer.fit();
    expect(resumed.rounds).toBe(whole.rounds);
    expect(resumed.bestIteration).toBe(whole.bestIteration);
    expect(resumed.bestScore).toBe(whole.bestScore);
    expect(resumed.checkpoint.metadata().attributes).toEqual(whole.checkpoint.metadata().attributes);
  });

  it('warns of a set of one class, and trains on', async () => {
    const warned: string[] = [];
    const one = table(100, 2);
    const result = await trainer({
      datasets: { train: tableData(table(500, 1)), valid: tableData({ ...one, y: one['y']!.map(() => 1) }) },
      earlyStoppingRounds: 1,
      params: { objective: 'binary:logistic', eval_metric: 'auc' },
      runConfig: { callbacks: [{ onWarning: (message) => warned.push(message) }] },
    }).trainer.fit();
    expect(result.rounds).toBe(6);
    expect(warned).toEqual([
      expect.stringMatching(/"valid" has rows of one class alone: valid-auc has no value/),
    ]);
  });

  it('goes by a metric that grows when that is the last one', async () => {
    const params = { objective: 'binary:logistic', max_depth: 6, eta: 1, eval_metric: ['logloss', 'auc'] };
    const { metricsTable, bestIteration, scoreMetric } = await trainer({ ...noisy, params }).trainer.fit();
    const scores = metricsTable.map((row) => row['valid-auc']!);
    expect(scoreMetric).toBe('valid-auc');
    expect(bestIteration).toBe(scores.indexOf(Math.max(...scores)));
    expect(scores.length).toBeLessThan(60);
  });
});

describe('a run that does not finish', () => {
  it('leaves its error and what it had reached, and no half-written checkpoint', async () => {
    const failAfter = { rounds: 4, error: new DeadlineError('worker w1 did not answer', { peer: 'w1' }) };
    const { trainer: gbdt, world } = trainer({}, { failAfter });
    await expect(gbdt.fit()).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    expect(record()).toMatchObject({
      status: 'failed',
      rounds: 4,
      checkpoint: 'checkpoints/4',
      error: { code: 'DEADLINE_EXCEEDED', message: 'worker w1 did not answer', place: { peer: 'w1' } },
    });
    expect(checkpointNames()).toEqual(['4']);
    expect(readdirSync(folder()).sort()).toEqual(['checkpoints', 'progress.jsonl', 'result.json']);
    expect(world.closed()).toBe(1);
  });

  it('leaves its error when the data is bad', async () => {
    const { trainer: gbdt, world } = trainer({ datasets: { train: tableData({ x: [1, 2], y: [0, 7] }) } });
    await expect(gbdt.fit()).rejects.toMatchObject({ code: 'LABEL_INVALID' });
    expect(record()).toMatchObject({
      status: 'failed',
      rounds: 0,
      error: { code: 'LABEL_INVALID', place: { column: 'y', row: 1 } },
    });
    expect(existsSync(path.join(folder(), 'checkpoints'))).toBe(false);
    expect(world.closed()).toBe(1);
  });

  it('refuses more workers than rows', async () => {
    const { trainer: gbdt } = trainer({
      datasets: { train: tableData({ x: [1, 2, 3], y: [0, 1, 0] }) },
      scalingConfig: { numWorkers: 4 },
    });
    await expect(gbdt.fit()).rejects.toMatchObject({
      code: 'TRAIN_TOO_MANY_WORKERS',
      message: 'scalingConfig.numWorkers asks for 4 workers, but the training set has 3 rows.',
    });
  });

  it('ends when it is called off, keeps what it has, and can be resumed', async () => {
    const calledOff = new AbortController();
    const onEvent = (event: { type: string; committed?: { round: number } }): void => {
      if (event.committed?.round === 2) calledOff.abort();
    };
    const { trainer: gbdt, world } = trainer({ runConfig: { callbacks: [{ onEvent }] } });
    const kept = path.join(folder(), 'checkpoints', '3');
    await expect(gbdt.fit({ signal: calledOff.signal })).rejects.toMatchObject({
      code: 'ABORTED',
      message: `Run "run" was called off by its owner; go on with it by resumeFromCheckpoint: ${kept} (tabgrad train --resume).`,
    });
    await expect(trainer().trainer.fit()).rejects.toThrow(
      `holds a run that is not finished; go on with it by resumeFromCheckpoint: ${kept} (tabgrad train --resume)`,
    );
    expect(record()).toMatchObject({
      status: 'stopped',
      rounds: 3,
      checkpoint: 'checkpoints/3',
      error: { code: 'ABORTED' },
    });
    expect(world.closed()).toBe(1);

    const resumed = await trainer({ resumeFromCheckpoint: kept }).trainer.fit();
    expect(resumed.rounds).toBe(6);
    expect(resumed.metricsTable).toHaveLength(3);
    expect(checkpointNames()).toEqual(['3', '6']);
    const whole = await trainer({ runConfig: { name: 'whole' } }).trainer.fit();
    expect(resumed.metrics).toEqual(whole.metrics);
    const text = ({ checkpoint }: Result): string =>
      readFileSync(path.join(checkpoint.path, 'model.json'), 'utf8');
    expect(text(resumed)).toBe(text(whole));
    await expect(trainer({ resumeFromCheckpoint: resumed.checkpoint }).trainer.fit()).rejects.toThrow(
      /nothing is left to train/,
    );
  });

  it('ends with what a callback throws', async () => {
    const onEvent = ({ type }: { type: string }): void => {
      if (type === 'round') throw new Error('my callback is broken');
    };
    const { trainer: gbdt, world } = trainer({ runConfig: { callbacks: [{ onEvent }] } });
    await expect(gbdt.fit()).rejects.toThrow('my callback is broken');
    expect(record()).toMatchObject({ status: 'failed', rounds: 1, error: { code: 'INTERNAL' } });
    expect(world.closed()).toBe(1);
  });

  it('says that the disk is full and leaves nothing half-written', async () => {
    mkdirSync(folder());
    symlinkSync('/dev/full', path.join(folder(), 'progress.jsonl'));
    await expect(trainer().trainer.fit()).rejects.toMatchObject({
      code: 'RESULT_WRITE_FAILED',
      message: expect.stringContaining('the disk has no room left') as string,
    });
    expect(record()).toMatchObject({ status: 'failed', error: { code: 'RESULT_WRITE_FAILED' } });
    expect(existsSync(path.join(folder(), 'checkpoints'))).toBe(false);
  });
});

describe('going on from a model', () => {
  it('adds rounds to it, keeping its trees and categories', async () => {
    const first = await trainer({ numBoostRound: 3 }).trainer.fit();
    const more = table(2000, 1);
    const kind = (more['kind'] as (string | null)[]).map((name) => (name === 'a' ? 'A new one' : name));
    const { checkpoint, metrics, rounds } = await trainer({
      datasets: {
        train: tableData({ kind, x: more['x']!, y: more['y']! }),
        valid: tableData(table(1000, 2)),
      },
      numBoostRound: 4,
      xgbModel: first.checkpoint,
      runConfig: { name: 'more' },
    }).trainer.fit();
    expect(rounds).toBe(7);
    expect(metrics['valid-logloss']).toBeLessThan(first.metrics['valid-logloss']!);
    // Old categories keep their codes: the old trees know no others.
    expect(checkpoint.metadata().features).toMatchObject([
      { name: 'x' },
      { name: 'kind', categories: ['a', 'b', 'c', 'd', 'e', 'A new one'] },
    ]);
    expect(checkpoint.loadModel().trees.slice(0, 3)).toEqual(first.checkpoint.loadModel().trees);
  });

  it('refuses a model whose categories have no names, and columns of another kind', async () => {
    const { checkpoint } = await trainer({ numBoostRound: 1 }).trainer.fit();
    const next = (options: Partial<GBDTTrainerOptions>) =>
      trainer({ xgbModel: checkpoint.path, runConfig: { name: 'next' }, ...options }).trainer.fit();
    const codes = { ...table(200, 1), kind: Array.from({ length: 200 }, (_, row) => row % 5) };
    await expect(next({ datasets: { train: tableData(codes) } })).rejects.toThrow(
      /Feature "kind" of dataset "train" holds numbers, but categories in the model/,
    );
    const file = path.join(checkpoint.path, 'model.json');
    writeFileSync(file, readFileSync(file, 'utf8').replace('tabgrad_categories', 'other'));
    await expect(next({})).rejects.toThrow(/has categories of feature "kind" but not their names/);
  });

  it('refuses a model of other features or of another objective', async () => {
    const { checkpoint } = await trainer({ numBoostRound: 1 }).trainer.fit();
    const next = (options: Partial<GBDTTrainerOptions>) =>
      trainer({ xgbModel: checkpoint.path, runConfig: { name: 'next' }, ...options }).trainer.fit();
    await expect(next({ datasets: { train: tableData({ z: [1, 2], y: [0, 1] }) } })).rejects.toMatchObject({
      code: 'MODEL_UNSUPPORTED',
    });
    await expect(next({ params: { objective: 'reg:squarederror' } })).rejects.toMatchObject({
      code: 'MODEL_UNSUPPORTED',
    });
    await expect(next({ xgbModel: path.join(storagePath, 'nowhere') })).rejects.toMatchObject({
      code: 'CHECKPOINT_INVALID',
    });
  });
});

describe('options', () => {
  const refused = (options: object): unknown => {
    try {
      trainer(options);
    } catch (error) {
      return error;
    }
    throw new Error('was accepted');
  };

  it.each([
    [{ numBoostRounds: 3 }, 'numBoostRounds', /did you mean numBoostRound\?/],
    [{ scalingConfig: { numWorker: 2 } }, 'scalingConfig.numWorker', /did you mean numWorkers\?/],
    [
      { runConfig: { checkpointConfig: { numToKep: 1 } } },
      'runConfig.checkpointConfig.numToKep',
      /did you mean numToKeep\?/,
    ],
    [{ numBoostRound: 0 }, 'numBoostRound', /is 0; expected a whole number from 1 to 2147483648/],
    [
      { scalingConfig: { runtime: 'dino' as never } },
      'scalingConfig.runtime',
      /is "dino"; expected one of node/,
    ],
    [
      { scalingConfig: { runtime: [] } },
      'scalingConfig.runtime',
      /is \[\]; expected .*a list of at least 1 entry/,
    ],
    [
      { scalingConfig: { device: 'gpu' as never } },
      'scalingConfig.device',
      /is "gpu"; expected one of auto, webgpu, cpu/,
    ],
    [{ scalingConfig: { numWorkers: [3, 2] } }, 'scalingConfig.numWorkers', /expected the fewest first/],
    [{ scalingConfig: { numWorkers: 1.5 } }, 'scalingConfig.numWorkers', /is 1.5/],
    [{ runConfig: { name: '../up' } }, 'runConfig.name', /letters, digits/],
    [{ runConfig: { name: '..' } }, 'runConfig.name', /letters, digits/],
    [{ datasets: { valid: tableData({}) } }, 'datasets', /needs an entry named "train"/],
    [
      { datasets: { train: tableData({}) }, earlyStoppingRounds: 2 },
      'earlyStoppingRounds',
      /needs an evaluation set/,
    ],
    [{ xgbModel: 'a', resumeFromCheckpoint: 'b' }, 'xgbModel', /exclude each other/],
  ])('that can not be are refused at once: %j', (options, field, message) => {
    const error = refused(options);
    expect(error).toMatchObject({ code: 'TRAIN_ARGUMENT', place: { field } });
    expect((error as Error).message).toMatch(message);
  });

  it('of XGBoost are checked before anything is opened', () => {
    expect(refused({ params: { max_dept: 3 } })).toMatchObject({ code: 'PARAMETER_UNKNOWN' });
    expect(refused({ params: { eta: -1 } })).toMatchObject({ code: 'PARAMETER_OUT_OF_RANGE' });
  });
});
