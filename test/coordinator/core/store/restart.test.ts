// The coordinator killed and started again in the middle of a run, with real processes all around: the command line,
// workers that outlive it, and an owner that follows from elsewhere.

import { createHash, randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { knownCoordinator } from '../../../../coordinator/cluster/remote/knownCoordinator.ts';
import { startLocalWorkers } from '../../../../coordinator/cluster/local/localWorkers.ts';
import type { LocalWorkers } from '../../../../coordinator/cluster/local/localWorkers.ts';
import type { ProgressEvent } from '../../../../coordinator/progress/progressEvent.ts';
import type { NeuralCheckpoint } from '../../../../coordinator/checkpoint/neuralCheckpoint.ts';
import { NeuralTrainer } from '../../../../coordinator/train/neural/neuralTrainer.ts';
import { GBDTTrainer } from '../../../../coordinator/train/gbdt/gbdtTrainer.ts';
import { netOptions } from '../../tune/fixtures/moonsExperiment.ts';
import { flights } from '../../../endToEnd/swarm.ts';
import { runTabgrad, startTabgrad } from '../../cli/runTabgrad.ts';
import type { Running } from '../../cli/runTabgrad.ts';
import { freePort } from '../../../setup/freePort.ts';

const ROUNDS = 60;

let folder: string;
let port: number;
let url: string;
let coordinator: Running;
let localWorkers: LocalWorkers | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tabgrad-restart-'));
  port = await freePort();
  url = `http://127.0.0.1:${port}`;
  await startCoordinator();
});
afterEach(async () => {
  await localWorkers?.stop();
  localWorkers = undefined;
  coordinator.signal('SIGKILL');
  await coordinator.ended;
  await rm(folder, { recursive: true, force: true });
});

async function startCoordinator(): Promise<void> {
  coordinator = startTabgrad(['up', '--port', String(port), '--storage', join(folder, 'storage'), '--json']);
  await coordinator.printed('"type":"up"');
}

async function restart(signal: NodeJS.Signals): Promise<void> {
  coordinator.signal(signal);
  await coordinator.ended;
  await startCoordinator();
}

async function train(onEvent: (event: ProgressEvent) => void = () => undefined): Promise<string> {
  const [train, valid] = (await flights(120_000).materialize()).trainTestSplit(0.3, {
    shuffle: true,
    seed: 1,
  });
  const result = await new GBDTTrainer({
    datasets: { train, valid },
    labelColumn: 'is_late',
    params: { objective: 'binary:logistic', max_depth: 5, eval_metric: ['logloss', 'auc'] },
    numBoostRound: ROUNDS,
    scalingConfig: { numWorkers: 2, url },
    runConfig: { name: randomUUID(), storagePath: folder, verbose: 0, callbacks: [{ onEvent }] },
  }).fit();
  const model = await readFile(join(result.checkpoint.path, 'model.json'));
  return createHash('sha256').update(model).digest('hex');
}

describe('A run whose coordinator is killed', () => {
  it(
    'goes on from its last round with the same workers to the same model, and lists it in its next life',
    { timeout: 180_000 },
    async () => {
      const { joinToken } = (await knownCoordinator(url))!;
      localWorkers = await startLocalWorkers({
        url,
        token: joinToken,
        count: 2,
        runtime: 'node',
        device: 'cpu',
      });
      const undisturbed = await train();

      const rounds: number[] = [];
      const groups: string[][] = [];
      const lives: Promise<void>[] = [];
      const ends: [(event: ProgressEvent) => boolean, NodeJS.Signals][] = [
        [(event) => event.type === 'group', 'SIGKILL'],
        [(event) => event.type === 'round' && event.committed.round >= 3, 'SIGKILL'],
        [(event) => event.type === 'round' && event.committed.round >= 20, 'SIGINT'],
        [(event) => event.type === 'round' && event.committed.round >= 30, 'SIGKILL'],
      ];
      const disturbed = await train((event) => {
        if (event.type === 'round') rounds.push(event.committed.round);
        if (event.type === 'group') groups.push(event.workers.map((worker) => worker.workerId).sort());
        const [isTime, signal] = ends[0] ?? [() => false];
        if (!isTime(event) || !signal) return;
        ends.shift();
        lives.push((lives.at(-1) ?? Promise.resolve()).then(() => restart(signal)));
      });
      await Promise.all(lives);

      expect(disturbed).toBe(undisturbed);
      expect(rounds).toEqual(Array.from({ length: ROUNDS }, (_, round) => round));
      expect(ends).toEqual([]);
      expect(groups.length).toBeGreaterThan(1);
      expect(new Set(groups.map((ids) => ids.join()))).toHaveLength(1);

      await restart('SIGKILL');
      const { stdout } = await runTabgrad(['runs', '--url', url, '--json']);
      const runs = stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as object);
      expect(runs).toMatchObject([
        { status: 'finished', rounds: ROUNDS },
        { status: 'finished', rounds: ROUNDS },
      ]);
    },
  );

  it(
    'goes on with a net from its last stored state, to the weights of the undisturbed run',
    { timeout: 180_000 },
    async () => {
      const { joinToken } = (await knownCoordinator(url))!;
      localWorkers = await startLocalWorkers({
        url,
        token: joinToken,
        count: 2,
        runtime: 'node',
        device: 'cpu',
      });
      const undisturbed = await trainNet();

      const steps: number[] = [];
      const lives: Promise<void>[] = [];
      const kills = [100, 700];
      const disturbed = await trainNet((event) => {
        if (event.type !== 'round') return;
        steps.push(event.committed.round + 1);
        if (kills.length === 0 || event.committed.round < kills[0]!) return;
        kills.shift();
        lives.push((lives.at(-1) ?? Promise.resolve()).then(() => restart('SIGKILL')));
      });
      await Promise.all(lives);

      expect(kills).toEqual([]);
      expect(steps).toEqual(steps.toSorted((a, b) => a - b));
      expect(steps.at(-1)).toBe(NET_STEPS);
      const [own, expected] = [disturbed, undisturbed].map(weightsOf) as [number[], number[]];
      const most = Math.max(...own.map((weight, at) => Math.abs(weight - expected[at]!)));
      // Shares follow the workers' speeds, and sums over other shares are rounded differently.
      expect(most).toBeLessThan(1e-3);
    },
  );
});

/** Two moons, for so many steps that a coordinator has time to die in between. */
const NET_STEPS = 1400;

async function trainNet(
  onEvent: (event: ProgressEvent) => void = () => undefined,
): Promise<NeuralCheckpoint> {
  const { numEpochs: _numEpochs, ...options } = netOptions();
  const { checkpoint } = await new NeuralTrainer({
    ...options,
    optimizer: { name: 'sgd', learningRate: 0.05 },
    maxSteps: NET_STEPS,
    reportEverySteps: 20,
    scalingConfig: { numWorkers: 2, url },
    runConfig: { name: randomUUID(), storagePath: folder, verbose: 0, callbacks: [{ onEvent }] },
  }).fit();
  return checkpoint;
}

function weightsOf(checkpoint: NeuralCheckpoint): number[] {
  return [...checkpoint.loadNet().state.weights.values()].flatMap(({ values }) => [...values]);
}
