// A run of trees among real workers (Node processes over WebRTC) that are killed and replaced, one after the other.

import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Dataset } from '../../coordinator/data/dataset.ts';
import { startProcessWorker } from '../../coordinator/cluster/local/processWorker.ts';
import type { LocalWorker } from '../../coordinator/options/localWorker.ts';
import { startCoordinator, type Coordinator } from '../../coordinator/core/server/coordinator.ts';
import { GBDTTrainer } from '../../coordinator/train/gbdt/gbdtTrainer.ts';

export interface ChurnOptions {
  readonly dataset: Dataset;
  readonly labelColumn: string;
  readonly rounds: number;
  readonly workers: number;
  /** Called with every recorded round; `kill` ends one of the workers at once, as a crash would, and starts another. */
  readonly onRound?: (round: number, kill: (index: number) => void) => void;
  /** Called once with a way to kill, when the first rounds are made. */
  readonly onBegun?: (kill: (index: number) => void) => void;
  /** Every event and every line of the coordinator's log, with the time since the start. */
  readonly trace?: (line: string) => void;
}

export interface ChurnResult {
  /** When each round was recorded, in milliseconds. */
  readonly roundsAtMs: readonly number[];
  readonly rounds: readonly number[];
  readonly kills: number;
  /** Changes of the group. */
  readonly generations: number;
  readonly modelSha256: string;
}

export async function churnRun(options: ChurnOptions): Promise<ChurnResult> {
  const { dataset, labelColumn, rounds, workers: count, onRound, onBegun, trace } = options;
  const startedAtMs = performance.now();
  const note = (what: string): void =>
    trace?.(`${((performance.now() - startedAtMs) / 1000).toFixed(3)} ${what}`);
  const coordinator = await startCoordinator({ port: 0, log: ({ message }) => note(`LOG ${message}`) });
  const storagePath = await mkdtemp(join(tmpdir(), 'tabgrad-churn-'));
  const slots = Array.from({ length: count }, () => startWorker(coordinator, trace && note));
  let kills = 0;
  const kill = (index: number): void => {
    const former = slots[index]!;
    kills += 1;
    note(`KILL ${index}`);
    slots[index] = former.then(async (worker) => {
      const gone = worker.kill();
      const next = startWorker(coordinator, trace && note);
      await gone;
      return next;
    });
    slots[index].catch(() => undefined);
  };
  try {
    await Promise.all(slots);
    note('workers are there');
    const roundsAtMs: number[] = [];
    const seen: number[] = [];
    let generations = 0;
    const result = await new GBDTTrainer({
      datasets: { train: dataset },
      labelColumn,
      params: { objective: 'binary:logistic', max_depth: 6, eta: 0.1, eval_metric: ['logloss'] },
      numBoostRound: rounds,
      scalingConfig: { numWorkers: [1, count], url: coordinator.url, token: coordinator.tokens.admin },
      runConfig: {
        name: 'churn',
        storagePath,
        verbose: 0,
        callbacks: [
          {
            onEvent(event) {
              note(
                event.type === 'round'
                  ? `ROUND ${event.committed.round}`
                  : `EVENT ${JSON.stringify(event).slice(0, 300)}`,
              );
              if (event.type === 'group') generations += 1;
              if (event.type !== 'round') return;
              roundsAtMs.push(performance.now());
              seen.push(event.committed.round);
              if (seen.length === 3) onBegun?.(kill);
              onRound?.(event.committed.round, kill);
            },
          },
        ],
      },
    }).fit();
    const model = await readFile(join(result.checkpoint.path, 'model.json'));
    return {
      roundsAtMs,
      rounds: seen,
      kills,
      generations,
      modelSha256: createHash('sha256').update(model).digest('hex'),
    };
  } finally {
    await Promise.all(slots.map(async (slot) => (await slot.catch(() => undefined))?.kill()));
    await coordinator.close();
    await rm(storagePath, { recursive: true, force: true });
  }
}

function startWorker(
  coordinator: Coordinator,
  onLine: ((line: string) => void) | undefined,
): Promise<LocalWorker> {
  return startProcessWorker('node', {
    url: coordinator.url,
    token: coordinator.tokens.local,
    device: 'cpu',
    threads: 1,
    softwareGpu: false,
    allowCode: true,
    extraVariables: [],
    joinTimeoutMs: 60_000,
    onLine,
  });
}
