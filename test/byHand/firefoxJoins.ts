// `npm run test:firefox [EXECUTABLE]`, where a Firefox is installed (Debian's firefox-esr): one group of a Firefox tab, a
// Chromium tab and a Node process trains the model that a Node process alone trains, byte for byte.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fromItems, GBDTTrainer, startCoordinator, startLocalWorkers } from '../../coordinator/index.ts';
import { lendFirefox } from './firefoxTab.ts';

const ROUNDS = 20;
const [executable = 'firefox-esr'] = process.argv.slice(2);
const folder = await mkdtemp(join(tmpdir(), 'tabgrad-firefox-run-'));
const coordinator = await startCoordinator({ port: 0 });
const { url, tokens } = coordinator;
const rows = Array.from({ length: 20_000 }, (_, i) => ({ x: i % 97, z: i % 13, y: (i % 97) * 2 + (i % 13) }));

async function train(
  name: string,
  numWorkers: number,
): Promise<{ model: string; workers: readonly string[] }> {
  const result = await new GBDTTrainer({
    datasets: { train: fromItems(rows) },
    labelColumn: 'y',
    params: { objective: 'reg:squarederror', max_depth: 5 },
    numBoostRound: ROUNDS,
    scalingConfig: { url, token: tokens.admin, numWorkers, runtime: ['browser', 'node'] },
    runConfig: { name, storagePath: folder, verbose: 0 },
  }).fit();
  const workers = result.workers.map(({ runtime, device }) => `${runtime} (${device})`);
  return { model: result.checkpoint.modelText(), workers };
}

const local = await startLocalWorkers({ url, token: tokens.local, count: 1, runtime: 'node', device: 'cpu' });
try {
  const alone = await train('alone', 1);
  const tab = await startLocalWorkers({
    url,
    token: tokens.local,
    count: 1,
    runtime: 'browser',
    device: 'cpu',
  });
  const closeFirefox = await lendFirefox(executable, coordinator.joinUrl);
  try {
    const together = await train('together', 3);
    process.stdout.write(`${together.workers.join(', ')}\n`);
    const isSame = together.model === alone.model;
    process.stdout.write(isSame ? 'The same model.\n' : 'Another model than that of one worker.\n');
    process.exitCode = isSame ? 0 : 1;
  } finally {
    await closeFirefox();
    await tab.stop();
  }
} finally {
  await local.stop();
  await coordinator.close();
  await rm(folder, { recursive: true });
}
