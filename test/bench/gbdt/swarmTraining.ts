// The whole swarm, workers as processes of their own over WebRTC, beside real XGBoost with as many threads.

import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Dataset } from '../../../coordinator/data/dataset.ts';
import { startLocalWorkers } from '../../../coordinator/cluster/local/localWorkers.ts';
import type { RunEvent } from '../../../coordinator/core/run/runRequest.ts';
import { startCoordinator } from '../../../coordinator/core/server/coordinator.ts';
import { GBDTTrainer } from '../../../coordinator/train/gbdt/gbdtTrainer.ts';
import type { OracleData } from '../../oracle/xgboost.ts';
import { holdMatrix } from '../../oracle/xgboost.ts';
import { BENCH_PARAMS } from './flightsTraining.ts';
import { median } from '../median.ts';

type RoundEvent = Extract<RunEvent, { type: 'round' }>;

export interface SwarmTimes {
  readonly workers: number;
  readonly threads: number;
  /** From one committed round to the next. */
  readonly roundMs: number;
  /** Of the slowest worker, as the workers report it. */
  readonly computeMs: number;
  readonly exchangeMs: number;
  /** Sent by all workers in a round. */
  readonly bytesSent: number;
  readonly oracleRoundMs: number;
}

/** Both sides report the log loss of the training set each round. */
export async function timeSwarm(
  dataset: Dataset,
  oracle: OracleData,
  rounds: number,
  workers: number,
): Promise<SwarmTimes> {
  const threads = Math.min(workers, availableParallelism());
  const oracleRoundMs = timeOracle(oracle, rounds, threads);
  const coordinator = await startCoordinator({ port: 0 });
  const storagePath = await mkdtemp(join(tmpdir(), 'tabgrad-bench-'));
  const localWorkers = await startLocalWorkers({
    url: coordinator.url,
    token: coordinator.tokens.local,
    count: workers,
    runtime: 'node',
    device: 'cpu',
  });
  try {
    const times: number[] = [];
    const events: RoundEvent[] = [];
    await new GBDTTrainer({
      datasets: { train: dataset },
      labelColumn: 'is_late',
      params: { ...BENCH_PARAMS, eval_metric: ['logloss'] },
      numBoostRound: rounds,
      scalingConfig: { numWorkers: workers, url: coordinator.url, token: coordinator.tokens.admin },
      runConfig: {
        name: randomUUID(),
        storagePath,
        verbose: 0,
        callbacks: [
          {
            onEvent(event) {
              if (event.type !== 'round') return;
              times.push(performance.now());
              events.push(event);
            },
          },
        ],
      },
    }).fit();
    const steps = times.slice(1).map((time, i) => time - (times[i] ?? time));
    const worst = (of: (timing: RoundEvent['timings'][number]) => number): number =>
      median(events.slice(1).map(({ timings }) => Math.max(...timings.map(of))));
    return {
      workers,
      threads,
      roundMs: median(steps),
      computeMs: worst(({ computeMs }) => computeMs),
      exchangeMs: worst(({ exchangeMs }) => exchangeMs),
      bytesSent: median(
        events.map(({ timings }) => timings.reduce((sum, { bytesSent }) => sum + bytesSent, 0)),
      ),
      oracleRoundMs,
    };
  } finally {
    await localWorkers.stop();
    await coordinator.close();
    await rm(storagePath, { recursive: true, force: true });
  }
}

function timeOracle(oracle: OracleData, rounds: number, nthread: number): number {
  const matrix = holdMatrix(oracle);
  const booster = matrix.startBooster({ ...BENCH_PARAMS, eval_metric: 'logloss', nthread });
  const times: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const start = performance.now();
    booster.update(round);
    booster.evaluate(round);
    times.push(performance.now() - start);
  }
  booster.free();
  matrix.free();
  return median(times.slice(1));
}

export function printSwarm(times: SwarmTimes): void {
  const ms = (value: number): string => `${value.toFixed(0)} ms`.padStart(10);
  console.log(
    `  ${String(times.workers).padStart(7)}${ms(times.roundMs)}${ms(times.computeMs)}${ms(times.exchangeMs)}` +
      `${`${(times.bytesSent / 1e6).toFixed(1)} MB`.padStart(10)}${ms(times.oracleRoundMs)} (${times.threads})${(times.roundMs / times.oracleRoundMs).toFixed(2).padStart(8)}`,
  );
}
