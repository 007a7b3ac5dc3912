import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Checkpoint, fromItems, GBDTTrainer } from '../../../coordinator/index.ts';
import { cutCheckpoint } from '../../../coordinator/tune/experiment/cutCheckpoint.ts';
import { newTrial, type Trial } from '../../../coordinator/tune/trial/trial.ts';
import { seededRandom } from '../../setup/seededRandom.ts';
import { inProcessWorld } from '../train/inProcessCluster.ts';

let folder = '';
beforeAll(() => void (folder = mkdtempSync(path.join(tmpdir(), 'tabgrad-cut-'))));
afterAll(() => rmSync(folder, { recursive: true }));

describe('cutCheckpoint', () => {
  it('leaves the very model that fewer rounds would have made, of several trees a round too', async () => {
    const random = seededRandom(1);
    const rows = Array.from({ length: 300 }, () => ({
      a: random(),
      b: random(),
      y: Math.floor(random() * 3),
    }));
    const fit = (name: string, numBoostRound: number) =>
      new GBDTTrainer(
        {
          datasets: { train: fromItems(rows) },
          labelColumn: 'y',
          params: { objective: 'multi:softprob', num_class: 3, max_depth: 3 },
          numBoostRound,
          runConfig: { name, storagePath: folder, verbose: 0 },
        },
        inProcessWorld(),
      ).fit();
    const trial: Trial = newTrial(0, {});
    const short = await fit('short', 5);
    await fit(trial.id, 8);
    trial.checkpoint = { path: `${trial.id}/checkpoints/8`, iteration: 8 };
    const cut = await cutCheckpoint(folder, trial, 5);
    expect(cut).toEqual({ path: `${trial.id}/checkpoints/5`, iteration: 5 });
    expect(new Checkpoint(path.join(folder, cut!.path)).modelText()).toBe(short.checkpoint.modelText());
  });

  it("takes the newest of a function's states that is not too new, or none", async () => {
    const trial: Trial = newTrial(1, {});
    const states = path.join(folder, trial.id, 'checkpoints');
    mkdirSync(states, { recursive: true });
    for (const iteration of [2, 9, 10]) writeFileSync(path.join(states, `${iteration}.json`), '{}');
    trial.checkpoint = { path: `${trial.id}/checkpoints/10.json`, iteration: 10 };
    const at = (iteration: number) => cutCheckpoint(folder, trial, iteration);
    expect(await at(10)).toBe(trial.checkpoint);
    expect(await at(9)).toEqual({ path: `${trial.id}/checkpoints/9.json`, iteration: 9 });
    expect(await at(8)).toEqual({ path: `${trial.id}/checkpoints/2.json`, iteration: 2 });
    expect(await at(1)).toBeUndefined();
  });
});
