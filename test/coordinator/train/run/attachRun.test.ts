import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it, vi } from 'vitest';
import type { Cluster } from '../../../../coordinator/cluster/cluster.ts';
import {
  CoordinatorUnreachableError,
  RemoteError,
} from '../../../../coordinator/cluster/remote/remoteErrors.ts';
import type { RunEvent, RunOutcome } from '../../../../coordinator/core/run/runRequest.ts';
import { fromItems } from '../../../../coordinator/data/fromMemory.ts';
import { GBDTTrainer } from '../../../../coordinator/train/gbdt/gbdtTrainer.ts';
import { DataParallelTrainer } from '../../../../coordinator/train/neural/dataParallelTrainer.ts';
import { RUN_FILE } from '../../../../coordinator/train/record/runFile.ts';
import { scratchFolder } from '../../data/support/scratch.ts';

const path = scratchFolder();
const facts = { runId: 'run-1', name: 'loop', params: {}, totalRounds: 9 };

/** A folder as a killed process left it, after the lines of the run that it went on from. */
function left(name: string, change: object = {}): string {
  const lines = '{"round":0}\n';
  const file = {
    format: 1,
    trainer: 'loop',
    url: 'http://coordinator',
    facts,
    checkpoints: { checkpointFrequency: 0, scoreOrder: 'max' },
    goesOn: true,
    progressBytes: lines.length,
    plan: {},
  };
  mkdirSync(path(name));
  writeFileSync(path(`${name}/progress.jsonl`), `${lines}{"round":1}\n{"rou`);
  writeFileSync(path(`${name}/${RUN_FILE}`), JSON.stringify({ ...file, ...change }));
  return path(name);
}

/** A coordinator that tells of these events and of this end. */
function world(events: readonly RunEvent[], end: () => Promise<RunOutcome>, isOver = true) {
  const stops: string[] = [];
  const urls: (string | undefined)[] = [];
  const cluster = {
    url: 'http://coordinator',
    findRun: (runId: string) =>
      Promise.resolve({
        follow() {
          let hear: (event: RunEvent) => void = () => undefined;
          const told = Promise.resolve().then(() => Promise.resolve());
          const done = told.then(() => events.forEach((event) => hear(event))).then(end);
          return {
            runId,
            done,
            mayGoOn: () => !isOver,
            onEvent: (listener: typeof hear) => ((hear = listener), () => undefined),
            stop: (reason: string) => void stops.push(reason),
          };
        },
      }),
    close: () => Promise.resolve(),
  } as unknown as Cluster;
  const openCluster = (wish: { options: { scalingConfig?: { url?: string | undefined } | undefined } }) => {
    urls.push(wish.options.scalingConfig?.url);
    return Promise.resolve(cluster);
  };
  return { openCluster, now: () => 0, stops, urls };
}

const round = (at: number): RunEvent => ({
  type: 'round',
  committed: { round: at, metrics: { loss: 9 - at }, payload: [] },
  timings: [],
});
const finished = () => Promise.resolve({ status: 'finished' as const, rounds: [] });

describe('attaching to a run', () => {
  it('writes its progress anew after that of the run which it went on from, and removes run.json', async () => {
    const folder = left('anew');
    const coordinator = world([round(1), round(2)], finished);
    const result = await DataParallelTrainer.attach(folder, { verbose: 0 }, coordinator);
    expect(coordinator.urls).toEqual(['http://coordinator']);
    expect(result).toMatchObject({ status: 'finished', runId: 'run-1', rounds: 3, metrics: { loss: 7 } });
    const lines = readFileSync(path('anew/progress.jsonl'), 'utf8').trim().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { round: number }).round)).toEqual([0, 1, 2]);
    expect(readdirSync(folder).sort()).toEqual(['progress.jsonl', 'result.json']);
  });

  it('asks the coordinator at another address when told so', async () => {
    const coordinator = world([], finished);
    await DataParallelTrainer.attach(left('moved'), { url: 'http://moved' }, coordinator);
    expect(coordinator.urls).toEqual(['http://moved']);
  });

  it('is possible again when the coordinator was lost, and not when the run has failed', async () => {
    const lost = new CoordinatorUnreachableError('gone');
    const folder = left('lost');
    const attached = DataParallelTrainer.attach(
      folder,
      {},
      world([], () => Promise.reject(lost), false),
    );
    await expect(attached).rejects.toBe(lost);
    expect(readdirSync(folder)).toContain(RUN_FILE);

    const failure = new RemoteError('RUN_STUCK', 'stuck');
    const again = DataParallelTrainer.attach(
      folder,
      {},
      world([], () => Promise.reject(failure)),
    );
    await expect(again).rejects.toBe(failure);
    expect(readdirSync(folder)).not.toContain(RUN_FILE);
    expect(JSON.parse(readFileSync(path('lost/result.json'), 'utf8'))).toMatchObject({
      status: 'failed',
      runId: 'run-1',
      error: { code: 'RUN_STUCK' },
    });
  });

  it('is refused while another process records the run, and possible when that has ended', async () => {
    const folder = left('twice');
    let end = (): void => undefined;
    const held = new Promise<void>((resolve) => (end = resolve));
    const coordinator = world([round(1)], () => held.then(finished));
    const first = DataParallelTrainer.attach(folder, { verbose: 0 }, coordinator);
    await vi.waitFor(() => expect(readdirSync(folder)).toContain('.lock'));
    await expect(DataParallelTrainer.attach(folder, {}, world([], finished))).rejects.toMatchObject({
      code: 'RUN_FOLDER_TAKEN',
      place: { file: folder },
    });
    end();
    expect(await first).toMatchObject({ status: 'finished', rounds: 2 });
    expect(readdirSync(folder).sort()).toEqual(['progress.jsonl', 'result.json']);
  });

  it('leaves the folder as it is where the coordinator does not know the run', async () => {
    const folder = left('unknown');
    const before = readFileSync(path('unknown/progress.jsonl'), 'utf8');
    const unknown = new RemoteError('RUN_UNKNOWN', 'There is no run "run-1"');
    const cluster = {
      url: 'http://c',
      findRun: () => Promise.reject(unknown),
      close: () => Promise.resolve(),
    };
    const openCluster = () => Promise.resolve(cluster as unknown as Cluster);
    const attached = DataParallelTrainer.attach(folder, {}, { openCluster, now: () => 0 });
    await expect(attached).rejects.toMatchObject({
      code: 'RUN_UNKNOWN',
      message: expect.stringContaining('does not know run "loop" (run-1)') as unknown,
    });
    expect(readFileSync(path('unknown/progress.jsonl'), 'utf8')).toBe(before);
    expect(readdirSync(folder).sort()).toEqual(['progress.jsonl', RUN_FILE]);
  });

  it.each([
    ['nothing', undefined, /nothing has no run\.json/],
    ['text', '{', /run\.json is damaged: /],
    ['form', { progressBytes: -1 }, /run\.json is damaged: progressBytes: /],
    ['trainer', {}, /a run of the trainer "loop", expected one of "gbdt"/],
    ['plan', { trainer: 'gbdt', plan: { features: [] } }, /run\.json is damaged: /],
  ])('refuses a folder with a wrong %s before a coordinator is asked', async (name, change, message) => {
    const folder = typeof change === 'object' ? left(name, change) : path(name);
    if (typeof change === 'string') {
      mkdirSync(folder);
      writeFileSync(path(`${name}/${RUN_FILE}`), change);
    }
    const nobody = { openCluster: () => expect.unreachable(), now: () => 0 };
    await expect(GBDTTrainer.attach(folder, {}, nobody)).rejects.toMatchObject({
      code: 'RUN_NOT_ATTACHED',
      message: expect.stringMatching(message) as unknown,
    });
  });

  it('is what a fit of the same name is told of', async () => {
    left('taken');
    const trainer = new GBDTTrainer(
      {
        datasets: { train: fromItems([{ x: 1, y: 0 }]) },
        labelColumn: 'y',
        runConfig: { name: 'taken', storagePath: path('') },
      },
      { openCluster: () => expect.unreachable(), now: () => 0 },
    );
    await expect(trainer.fit()).rejects.toMatchObject({
      code: 'RUN_FOLDER_TAKEN',
      message: expect.stringContaining('follow it by attach (tabgrad train --attach)') as unknown,
    });
  });
});
