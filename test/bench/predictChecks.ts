// What checks of strangers' predictions cost: the same rows on two Node workers of the owner's and on two strangers', in turns.

import {
  GBDTPredictor,
  startCoordinator,
  startLocalWorkers,
  type Checkpoint,
  type Coordinator,
  type Dataset,
  type LocalWorkers,
  type PoolStatus,
} from '../../coordinator/index.ts';
import { median } from './median.ts';

const BATCH_ROWS = 1_024;
const WORKERS = 2;
const PASSES = 8;

interface Side extends AsyncDisposable {
  readonly coordinator: Coordinator;
  readonly workers: LocalWorkers;
}

async function open(kind: 'join' | 'local'): Promise<Side> {
  const coordinator = await startCoordinator({ port: 0 });
  const workers = await startLocalWorkers({
    url: coordinator.url,
    token: coordinator.tokens[kind],
    count: WORKERS,
    runtime: 'node',
    device: 'cpu',
  });
  return {
    coordinator,
    workers,
    async [Symbol.asyncDispose]() {
      await workers.stop();
      await coordinator.close();
    },
  };
}

/** Prints a table: a line for each pass over all rows. */
export async function printCheckCosts(rows: Dataset, args: [Checkpoint]): Promise<void> {
  await using owners = await open('local');
  await using strangers = await open('join');
  const pass = async ({ coordinator }: Side): Promise<{ seconds: number; status: PoolStatus }> => {
    let status: PoolStatus | undefined;
    const begun = performance.now();
    await rows
      .mapBatches(GBDTPredictor, {
        batchSize: BATCH_ROWS,
        concurrency: WORKERS,
        fnConstructorArgs: args,
        scalingConfig: { url: coordinator.url, token: coordinator.tokens.admin },
        onStatus: (told) => (status = told),
      })
      .count();
    return { seconds: (performance.now() - begun) / 1_000, status: status! };
  };
  await pass(owners);
  console.log(
    `\n${WORKERS} strangers beside ${WORKERS} workers of the owner's, batches of ${BATCH_ROWS.toLocaleString('en')} rows\n\n` +
      '| pass | rows computed again | time to that without checks |\n| --- | --- | --- |',
  );
  const ratios: number[] = [];
  for (let number = 1; number <= PASSES; number += 1) {
    const unchecked = await pass(owners);
    const checked = await pass(strangers);
    const total = [...checked.status.rows.values()].reduce((sum, one) => sum + one, 0);
    const ratio = checked.seconds / unchecked.seconds;
    if (number > 1) ratios.push(ratio);
    const share = (100 * checked.status.checks.rows) / total;
    console.log(`| ${number} | ${share.toFixed(1)} % | ${ratio.toFixed(2)} |`);
  }
  console.log(`\nMedian of the passes after the first: ${median(ratios).toFixed(2)}.`);
}
