// What a run's folder holds already. A run is not lost because another one has its name.

import { readdir, readFile } from 'node:fs/promises';
import { join, resolve, sep } from 'node:path';
import { RunFolderTakenError } from '../trainErrors.ts';
import { hasRunFile } from './runFile.ts';
import { TrainArgumentError } from '../../options/trainArgumentError.ts';

/** How a run begins: where another one of its name was, it goes on from that one, replaces it, or is refused. */
export interface RunStart {
  /** Replace an earlier run of the name. */
  readonly overwrite: boolean;
  /** The checkpoint that the run goes on from, or its path. */
  readonly resumedFrom?: string | { readonly path: string } | undefined;
}

/**
 * Whether the run goes on with what is in the folder.
 * @throws RunFolderTakenError for a finished run, checkpoints or a run.json that it neither goes on from nor replaces;
 * TrainArgumentError for a run that would replace what it goes on from.
 */
export async function goesOnIn(folder: string, { overwrite, resumedFrom }: RunStart): Promise<boolean> {
  const from = typeof resumedFrom === 'object' ? resumedFrom.path : resumedFrom;
  const goesOn = from !== undefined && `${resolve(from)}${sep}`.startsWith(`${folder}${sep}`);
  if (goesOn && overwrite) {
    throw new TrainArgumentError(
      `runConfig.overwrite would replace the run that resumeFromCheckpoint goes on from: ${folder}.`,
      { field: 'runConfig.overwrite' },
    );
  }
  if (!goesOn && !overwrite) await refuseEarlier(folder);
  return goesOn;
}

/** The last checkpoint in a run's folder; undefined where there is none. */
export async function lastCheckpoint(folder: string): Promise<string | undefined> {
  const path = join(folder, 'checkpoints');
  const names = await readdir(path).catch((): string[] => []);
  const rounds = names.filter((name) => /^\d+$/.test(name)).map(Number);
  return rounds.length === 0 ? undefined : join(path, String(Math.max(...rounds)));
}

async function refuseEarlier(folder: string): Promise<void> {
  const isFinished = (await earlierStatus(folder)) === 'finished';
  const last = await lastCheckpoint(folder);
  const isAsked = await hasRunFile(folder);
  if (!isFinished && last === undefined && !isAsked) return;
  const resumed =
    last === undefined ? '' : `; go on with it by resumeFromCheckpoint: ${last} (tabgrad train --resume)`;
  const attached = isAsked
    ? ', and may go on at its coordinator; follow it by attach (tabgrad train --attach)'
    : '';
  const what = isFinished ? 'a finished run' : `a run that is not finished${attached}${resumed}`;
  throw new RunFolderTakenError(
    `${folder} holds ${what}, choose another runConfig.name, replace it by runConfig.overwrite (--overwrite), or remove the folder.`,
    { file: folder, field: 'runConfig.name' },
  );
}

/** Status in result.json, where there is one. */
export async function earlierStatus(folder: string): Promise<unknown> {
  try {
    const record: unknown = JSON.parse(await readFile(join(folder, 'result.json'), 'utf8'));
    return typeof record === 'object' && record !== null && 'status' in record ? record.status : undefined;
  } catch {
    return undefined;
  }
}
