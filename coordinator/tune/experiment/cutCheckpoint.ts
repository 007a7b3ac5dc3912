// The checkpoint of an earlier iteration: what a trial would have left if it had been stopped there.

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { modelRounds, type GbdtModel } from '../../../shared/gbdt/model/model.ts';
import { writeModel } from '../../../shared/gbdt/model/writeModel.ts';
import { Checkpoint, MODEL_FILE } from '../../checkpoint/checkpoint.ts';
import { writeFolderAtomically } from '../../train/record/atomicWrite.ts';
import { CHECKPOINT_FILE } from '../../checkpoint/checkpoint.ts';
import type { Trial, TrialCheckpoint } from '../trial/trial.ts';

/**
 * Trees of later rounds are taken off a model. Of a function's states and of a net's epochs, the newest that is not too new is
 * taken.
 * @param folder of the experiment.
 * @returns undefined where there is none.
 * @throws CheckpointError, ModelFormatError, ResultWriteError
 */
export async function cutCheckpoint(
  folder: string,
  { id, checkpoint, reports }: Trial,
  iteration: number,
): Promise<TrialCheckpoint | undefined> {
  if (!checkpoint || checkpoint.iteration <= iteration) return checkpoint;
  const { roundsPerIteration } = checkpoint;
  if (roundsPerIteration !== undefined) return newestEpoch(folder, id, iteration, roundsPerIteration);
  if (checkpoint.path.endsWith('.json')) return newestState(folder, id, iteration);
  const model = new Checkpoint(join(folder, checkpoint.path)).loadModel();
  const rounds = modelRounds(model) - (checkpoint.iteration - iteration);
  const path = `${id}/checkpoints/${rounds}`;
  const metrics = reports.findLast((report) => report.iteration <= iteration)?.metrics ?? {};
  await writeFolderAtomically(
    join(folder, path),
    { name: MODEL_FILE, content: writeModel(firstRounds(model, rounds)) },
    { [CHECKPOINT_FILE]: `${JSON.stringify({ format: 1, rounds, metrics }, null, 2)}\n` },
  );
  return { path, iteration };
}

function firstRounds(model: GbdtModel, rounds: number): GbdtModel {
  const trees = (model.trees.length / modelRounds(model)) * rounds;
  const best = Number(model.attributes['best_iteration'] ?? 0);
  // The best round may be one of those that go.
  const kept = Object.entries(model.attributes).filter(
    ([name]) => best < rounds || !name.startsWith('best_'),
  );
  return {
    ...model,
    trees: model.trees.slice(0, trees),
    treeOutputs: model.treeOutputs.slice(0, trees),
    attributes: Object.fromEntries(kept),
  };
}

async function newestState(
  folder: string,
  id: string,
  iteration: number,
): Promise<TrialCheckpoint | undefined> {
  const names = await namesOf(folder, id);
  const iterations = names.map((name) => Number(/^(\d+)\.json$/.exec(name)?.[1] ?? NaN));
  const newest = Math.max(...iterations.filter((one) => one <= iteration));
  return Number.isFinite(newest)
    ? { path: `${id}/checkpoints/${newest}.json`, iteration: newest }
    : undefined;
}

async function newestEpoch(
  folder: string,
  id: string,
  iteration: number,
  roundsPerIteration: number,
): Promise<TrialCheckpoint | undefined> {
  const epochs = (await namesOf(folder, id)).map((name) => Number(name) / roundsPerIteration);
  const newest = Math.max(...epochs.filter((epoch) => Number.isInteger(epoch) && epoch <= iteration));
  if (!Number.isFinite(newest)) return undefined;
  return { path: `${id}/checkpoints/${newest * roundsPerIteration}`, iteration: newest, roundsPerIteration };
}

function namesOf(folder: string, id: string): Promise<string[]> {
  return readdir(join(folder, id, 'checkpoints')).catch((): string[] => []);
}
