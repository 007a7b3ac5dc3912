// Checkpoints whose model is of UBJSON, as Ray's XGBoostTrainer and XGBoost write them, and models of other objectives.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Checkpoint } from '../../../coordinator/checkpoint/checkpoint.ts';
import { commands } from '../../../coordinator/cli/commands/commands.ts';
import { runCli } from '../../../coordinator/cli/runCli.ts';
import { GBDTPredictor } from '../../../coordinator/predict/gbdtPredictor.ts';
import { isUbjson } from '../../../shared/gbdt/model/readUbjson.ts';
import { readModel } from '../../../shared/gbdt/model/readModel.ts';
import { builtinProgram } from '../../../coordinator/program/builtinProgram.ts';
import { TreeProgram } from '../../../coordinator/serve/replica/treeProgram.ts';
import { CarriedCheckpoint } from '../../../shared/program/carriedCheckpoint.ts';
import { knownModels } from '../../setup/knownModels.ts';

const known = knownModels();
let folder = '';
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'tabgrad-models-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A folder as Ray's XGBoostTrainer reports it. */
function rayFolder(name: string): string {
  const made = path.join(folder, `ray-${name}`);
  mkdirSync(made, { recursive: true });
  writeFileSync(path.join(made, 'model.ubj'), known.get(name)!.ubjson);
  return made;
}

describe('a checkpoint of Ray', () => {
  it('predicts, tells of itself, and is JSON where text is asked for', () => {
    const checkpoint = new Checkpoint(rayFolder('categories'));
    const { batch, predict } = known.get('categories')!;
    expect(new GBDTPredictor(checkpoint).call(batch)['predictions']).toEqual(predict);
    expect(path.basename(checkpoint.modelPath)).toBe('model.ubj');
    expect(checkpoint.metadata()).toMatchObject({
      objective: 'reg:squarederror',
      rounds: 5,
      features: [
        { name: 'a' },
        { name: 'colour', categories: ['Grün', 'blue', 'green', 'red'] },
        { name: 'size' },
      ],
    });
    const carried = new CarriedCheckpoint(
      new Map([['model.json', new TextEncoder().encode(checkpoint.modelText())]]),
    );
    expect(new GBDTPredictor(checkpoint).call(batch)).toEqual(
      (GBDTPredictor[builtinProgram].openHere([carried]) as GBDTPredictor).call(batch),
    );
  });

  it('can be carried as it is', () => {
    const files = new Map([
      ['model.ubj', known.get('gamma')!.ubjson],
      ['params.json', new Uint8Array()],
    ]);
    expect(new CarriedCheckpoint(files).loadModel().objective).toBe('reg:gamma');
  });

  it('that is damaged is named with its file', () => {
    const made = rayFolder('cox');
    writeFileSync(path.join(made, 'model.ubj'), known.get('cox')!.ubjson.subarray(0, 1000));
    expect(() => new Checkpoint(made).loadModel()).toThrow(/model\.ubj: model file: UBJSON, byte \d+/);
    expect(() => new Checkpoint(made).modelText()).toThrow(/model\.ubj: model file: UBJSON, byte \d+/);
    expect(() => new Checkpoint(path.join(folder))).toThrow(/has no model\.json and no model\.ubj/);
  });
});

it('a model is saved in the format of its name, or in the one that is asked for', () => {
  const checkpoint = new Checkpoint(rayFolder('softprob'));
  const saved = (name: string, options?: { format: 'json' | 'ubj' }): Buffer => {
    const file = path.join(folder, name);
    checkpoint.saveModel(file, options);
    return readFileSync(file);
  };
  expect(isUbjson(saved('a.ubj'))).toBe(true);
  expect(isUbjson(saved('a.json'))).toBe(false);
  expect(isUbjson(saved('a.model', { format: 'ubj' }))).toBe(true);
  expect(isUbjson(saved('b.ubj', { format: 'json' }))).toBe(false);
  expect(readModel(saved('a.ubj'))).toEqual(readModel(saved('a.json')));
  expect(() => checkpoint.saveModel(path.join(folder, 'none', 'a.json'))).toThrow(/could not be written/);
});

describe('a model of other objectives', () => {
  it('has a column of classes, and margins for each class', () => {
    const { batch, predict, margin } = known.get('softmax')!;
    const checkpoint = new Checkpoint(rayFolder('softmax'));
    expect(new GBDTPredictor(checkpoint).call(batch)).toEqual({ predictions: predict });
    const margins = new GBDTPredictor(checkpoint, { outputMargin: true });
    expect(margins.outputColumns).toEqual(['predictions_0', 'predictions_1', 'predictions_2']);
    expect(margins.call(batch)['predictions_2']![0]).toBe(margin[2]);
  });

  it('has leaves as columns, one a tree', () => {
    const { batch, leaf } = known.get('quantile')!;
    const predictor = new GBDTPredictor(new Checkpoint(rayFolder('quantile')), { predLeaf: true });
    const columns = Object.values(predictor.call(batch));
    expect(columns).toHaveLength(5);
    expect(columns.map((column) => column[0])).toEqual([...leaf!.subarray(0, 5)]);
  });

  it('is served with its class and margins', () => {
    const text = new Checkpoint(rayFolder('softmax')).modelText();
    const program = new TreeProgram(text, { withLabel: true, withMargin: true });
    const { batch, predict, margin } = known.get('softmax')!;
    const record = Object.fromEntries(
      Object.entries(batch).map(([name, values]) => [name, values[0] ?? null]),
    );
    expect(JSON.parse(program.run('http', [JSON.stringify(record)]) as string)).toEqual({
      predictions: predict[0],
      label: predict[0],
      margin_0: margin[0],
      margin_1: margin[1],
      margin_2: margin[2],
    });
    const labels = new Checkpoint(rayFolder('one-per-output')).modelText();
    expect(() => new TreeProgram(labels, { withLabel: true })).toThrow(/withLabel needs a model of classes/);
  });
});

describe('tabgrad dump', () => {
  async function dump(...args: string[]): Promise<{ code: number; out: string; err: string }> {
    let out = '';
    let err = '';
    const code = await runCli(['dump', ...args], commands, '0', {
      stdout: { write: (text) => (out += text) },
      stderr: { write: (text) => (err += text) },
      cwd: folder,
      env: {},
      signal: new AbortController().signal,
      now: () => 0,
    });
    return { code, out, err };
  }

  it('prints all trees, or one, in the form that is asked for', async () => {
    const made = rayFolder('pruned');
    const trees = new Checkpoint(made).dumpTrees();
    expect((await dump(made)).out).toBe(trees.map((tree, at) => `booster[${at}]:\n${tree}`).join(''));
    const json = JSON.parse((await dump(made, '--format', 'json', '--with-stats')).out) as object[];
    expect(json).toHaveLength(5);
    expect(json[0]).toMatchObject({ nodeid: 0, cover: expect.any(Number) as number });
    const lines = (await dump(made, '--json', '--with-stats')).out.trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line) as object)).toEqual(json);
    expect((await dump(made, '--format', 'dot', '--tree', '2')).out).toMatch(/^digraph \{/);
  });

  it('says how many trees there are', async () => {
    const { code, err } = await dump(rayFolder('pruned'), '--tree', '5');
    expect(code).not.toBe(0);
    expect(err).toContain('the model has 5 trees');
  });
});
