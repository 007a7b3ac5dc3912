// Real workers on real data: a coordinator in this process, worker processes and browser tabs around it, and the
// owner's trainer pointed at its address, as in production.

import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Dataset } from '../../coordinator/data/dataset.ts';
import { readParquet } from '../../coordinator/data/readParquet.ts';
import type { LocalDevice, LocalRuntime, LocalWorker } from '../../coordinator/options/localWorker.ts';
import { startLocalWorkers } from '../../coordinator/cluster/local/localWorkers.ts';
import type { LocalWorkers } from '../../coordinator/cluster/local/localWorkers.ts';
import type { ProgressEvent } from '../../coordinator/progress/progressEvent.ts';
import type { Coordinator } from '../../coordinator/core/server/coordinator.ts';
import { startCoordinator } from '../../coordinator/core/server/coordinator.ts';
import type { CoordinatorOptions } from '../../coordinator/core/server/coordinatorOptions.ts';
import { GBDTTrainer } from '../../coordinator/train/gbdt/gbdtTrainer.ts';
import type { Result } from '../../coordinator/train/result.ts';
import type { GBDTTrainerOptions } from '../../coordinator/train/gbdt/trainerOptions.ts';

const FLIGHTS = 'node_modules/vega-datasets/data/flights-3m.parquet';

/** The first rows of the flights with the features of the lesson: six shards of training rows at 400,000. */
export function flights(rows: number): Dataset {
  return readParquet(FLIGHTS)
    .limit(rows)
    .mapBatches(({ date, delay, distance, origin, destination }) => {
      const times = Array.from(date as ArrayLike<number | Date>, (time) => new Date(time));
      return {
        hour: Float32Array.from(times, (time) => time.getUTCHours()),
        weekday: Float32Array.from(times, (time) => time.getUTCDay()),
        distance: distance!,
        origin: origin!,
        destination: destination!,
        is_late: Float32Array.from(delay as ArrayLike<number>, (minutes) => (minutes > 15 ? 1 : 0)),
      };
    });
}

export interface Trained {
  readonly result: Result;
  readonly modelText: string;
  readonly events: readonly ProgressEvent[];
}

export class Swarm {
  readonly coordinator: Coordinator;
  readonly #folder: string;
  readonly #workers: LocalWorkers[] = [];

  private constructor(coordinator: Coordinator, folder: string) {
    this.coordinator = coordinator;
    this.#folder = folder;
  }

  static async start(options: CoordinatorOptions = {}): Promise<Swarm> {
    const coordinator = await startCoordinator({ port: 0, graceMs: 2_000, ...options });
    return new Swarm(coordinator, await mkdtemp(join(tmpdir(), 'tabgrad-swarm-')));
  }

  async add(
    runtime: LocalRuntime,
    device: LocalDevice = 'cpu',
    count = 1,
    allowCode = true,
    token: 'local' | 'join' = 'local',
  ): Promise<readonly LocalWorker[]> {
    const localWorkers = await startLocalWorkers({
      url: this.coordinator.url,
      token: this.coordinator.tokens[token],
      count,
      runtime,
      device,
      allowCode,
    });
    this.#workers.push(localWorkers);
    return localWorkers.workers;
  }

  async dismiss(): Promise<void> {
    await Promise.all(this.#workers.splice(0).map((localWorkers) => localWorkers.stop()));
  }

  /** Trains on this swarm; `onEvent` may kill and add workers. */
  async train(
    options: Partial<GBDTTrainerOptions> & Pick<GBDTTrainerOptions, 'datasets'>,
    numWorkers: number | readonly [number, number],
    onEvent: (event: ProgressEvent) => void = () => undefined,
  ): Promise<Trained> {
    const events: ProgressEvent[] = [];
    const observe = (event: ProgressEvent): void => {
      events.push(event);
      onEvent(event);
    };
    const trainer = new GBDTTrainer({
      labelColumn: 'is_late',
      params: { objective: 'binary:logistic', max_depth: 5, eval_metric: ['logloss', 'auc'] },
      numBoostRound: 4,
      ...options,
      scalingConfig: { numWorkers, url: this.coordinator.url, token: this.coordinator.tokens.admin },
      runConfig: {
        name: randomUUID(),
        storagePath: this.#folder,
        verbose: 0,
        callbacks: [{ onEvent: observe }],
      },
    });
    const result = await trainer.fit();
    return { result, events, modelText: await readFile(join(result.checkpoint.path, 'model.json'), 'utf8') };
  }

  async close(): Promise<void> {
    await this.dismiss();
    await this.coordinator.close();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
