// A coordinator with something to see on every page: workers, runs that ended and one that goes on, an experiment, an
// application. Everything is real and small: flights of 2001 that are in the npm package vega-datasets.

import { readFileSync } from 'node:fs';
import { startLocalWorkers } from '../../../../coordinator/cluster/local/localWorkers.ts';
import { startCoordinator, type Coordinator } from '../../../../coordinator/core/server/coordinator.ts';
import type { Dataset } from '../../../../coordinator/data/dataset.ts';
import { fromItems } from '../../../../coordinator/data/fromMemory.ts';
import { deployment, Serve } from '../../../../coordinator/serve/serve.ts';
import { GBDTTrainer } from '../../../../coordinator/train/gbdt/gbdtTrainer.ts';
import { gridSearch } from '../../../../coordinator/tune/space/domain.ts';
import { Tuner } from '../../../../coordinator/tune/tuner.ts';
import type { StatusAnswer } from '../../../../shared/api/statusAnswer.ts';

const ROUNDS = 30;

export interface ExampleSwarm {
  readonly coordinator: Coordinator;
  /** Two runs that ended, then one that goes on. */
  readonly runIds: readonly string[];
  readonly experimentId: string;
  close(): Promise<void>;
}

interface Flight {
  readonly date: string;
  readonly delay: number;
  readonly distance: number;
}

/** Whether a flight was more than a quarter of an hour late, by its hour and distance. */
function flights(): Dataset {
  const file = new URL('../../../../node_modules/vega-datasets/data/flights-5k.json', import.meta.url);
  const rows = JSON.parse(readFileSync(file, 'utf8')) as Flight[];
  return fromItems(
    rows.map(({ date, delay, distance }) => ({
      hour: Number(/ (\d+):/.exec(date)?.[1] ?? 0),
      distance,
      is_late: Number(delay > 15),
    })),
  );
}

/** @param folder where runs leave their results. */
export async function startExampleSwarm(folder: string): Promise<ExampleSwarm> {
  const coordinator = await startCoordinator({
    port: 0,
    project: {
      title: 'Will this flight be late?',
      description: 'Trees that foretell delays from the hour and the distance, trained on flights of 2001.',
      contact: 'Ada Example, ada@example.org',
      link: 'https://example.org/flights',
    },
  });
  const localWorkers = await startLocalWorkers({
    url: coordinator.url,
    token: coordinator.tokens.local,
    count: 2,
    runtime: 'node',
    device: 'cpu',
  });
  const [train, valid] = flights().trainTestSplit(0.3, { shuffle: true, seed: 0 });
  const trainer = (
    name: string,
    maxDepth: number,
    rounds: number,
    numWorkers: number | [number, number] = 1,
  ): GBDTTrainer =>
    new GBDTTrainer({
      datasets: { train, valid },
      labelColumn: 'is_late',
      params: {
        objective: 'binary:logistic',
        max_depth: maxDepth,
        eta: 0.2,
        eval_metric: ['logloss', 'auc'],
      },
      numBoostRound: rounds,
      scalingConfig: { url: coordinator.url, token: coordinator.tokens.admin, numWorkers },
      runConfig: { name, storagePath: folder, verbose: 0 },
    });
  const first = await trainer('flights', 6, ROUNDS).fit();
  await trainer('flights-shallow', 2, ROUNDS).fit();
  await new Tuner({
    trainable: trainer('depths', 6, 8),
    paramSpace: { params: { max_depth: gridSearch([2, 4, 6]), eta: gridSearch([0.1, 0.4]) } },
    tuneConfig: { metric: 'valid-auc', mode: 'max' },
    runConfig: { name: 'depths', storagePath: folder, verbose: 0 },
  }).fit();
  const serve = new Serve({ coordinator });
  await serve.run(deployment(first.checkpoint, { name: 'flights' }), { name: 'flights', port: 0 });
  const over = new AbortController();
  const running = trainer('flights-long', 4, 100_000, [2, 3]).fit({ signal: over.signal });
  const ended = running.catch((error: unknown) => {
    if (!over.signal.aborted) throw error;
  });
  const { runs, experiments } = await knownAt(coordinator);
  const runIdOf = (name: string): string => idOf(runs.find((run) => run.name === name)?.runId, name);
  return {
    coordinator,
    runIds: ['flights', 'flights-shallow', 'flights-long'].map(runIdOf),
    experimentId: idOf(experiments[0]?.experimentId, 'depths'),
    async close() {
      over.abort();
      await ended;
      await serve.shutdown();
      await localWorkers.stop();
      await coordinator.close();
    },
  };
}

/** Once the run is there that goes on. */
async function knownAt({ url, tokens }: Coordinator): Promise<StatusAnswer> {
  const headers = { authorization: `Bearer ${tokens.admin}` };
  for (;;) {
    const status = (await (await fetch(`${url}/api/v1/status`, { headers })).json()) as StatusAnswer;
    if (status.runs.some((run) => run.status === 'running' && run.rounds > 0)) return status;
  }
}

function idOf(id: string | undefined, name: string): string {
  if (id === undefined) throw new Error(`The coordinator does not know ${name}`);
  return id;
}
