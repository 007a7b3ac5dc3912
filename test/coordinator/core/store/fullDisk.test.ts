// The volume of the coordinator's storage becomes full in the middle of a run, and has room again.

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, writeSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startLocalWorkers, type LocalWorkers } from '../../../../coordinator/cluster/local/localWorkers.ts';
import type { ProgressEvent } from '../../../../coordinator/progress/progressEvent.ts';
import { knownCoordinator } from '../../../../coordinator/cluster/remote/knownCoordinator.ts';
import { GBDTTrainer } from '../../../../coordinator/train/gbdt/gbdtTrainer.ts';
import { flights } from '../../../endToEnd/swarm.ts';
import { runHere } from '../../cli/runHere.ts';

const ROUNDS = 80;

let folder: string;
let coordinator: ChildProcess | undefined;
let localWorkers: LocalWorkers | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tabgrad-full-'));
});
afterEach(async () => {
  await localWorkers?.stop();
  if (coordinator && coordinator.exitCode === null) {
    coordinator.kill('SIGKILL');
    await once(coordinator, 'close');
  }
  await rm(folder, { recursive: true, force: true });
});

/** A coordinator that stores on a volume of 24 MB, in a mount namespace of its own. @returns its URL, or why there is none. */
async function startOnSmallVolume(): Promise<{ url: string } | { refused: string }> {
  await mkdir(join(folder, 'volume'));
  const unshare = process.getuid?.() === 0 ? ['--mount'] : ['--mount', '--map-root-user'];
  const script = 'mount -t tmpfs -o size=24m tmpfs volume || exit 99; exec "$@"';
  const cli = fileURLToPath(new URL('../../../../dist/node/cli.js', import.meta.url));
  const up = ['up', '--port', '0', '--storage', 'volume/storage', '--json'];
  const child = spawn('unshare', [...unshare, 'sh', '-c', script, 'sh', process.execPath, cli, ...up], {
    cwd: folder,
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      TABGRAD_STATE_DIR: process.env['TABGRAD_STATE_DIR'],
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 150_000,
    killSignal: 'SIGKILL',
  });
  coordinator = child;
  let said = '';
  return new Promise((resolve) => {
    child.stderr.on('data', (data: Buffer) => (said += data.toString()));
    child.once('error', (error) => resolve({ refused: error.message }));
    child.once('close', () => resolve({ refused: said }));
    let printed = '';
    child.stdout.on('data', (data: Buffer) => {
      printed += data.toString();
      const line = printed.split('\n').find((one) => one.includes('"type":"up"'));
      if (line?.endsWith('}')) resolve({ url: (JSON.parse(line) as { url: string }).url });
    });
  });
}

/** A path of the coordinator's own mount namespace. */
const inVolume = (name: string): string => `/proc/${coordinator!.pid}/cwd/volume/${name}`;

function fill(): void {
  const file = openSync(inVolume('filler'), 'w');
  try {
    for (;;) writeSync(file, Buffer.alloc(4096));
  } catch {
    // Full.
  } finally {
    closeSync(file);
  }
}

async function runs(url: string): Promise<Record<string, unknown>[]> {
  const { stdout } = await runHere(['runs', '--url', url, '--json']);
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

it(
  'ends for the owner at once, and goes on when there is room again',
  { timeout: 150_000 },
  async (context) => {
    const started = await startOnSmallVolume();
    if (!('url' in started)) context.skip(`nobody may mount a volume here: ${started.refused}`);
    const { url } = started as { url: string };
    const { joinToken } = (await knownCoordinator(url))!;
    localWorkers = await startLocalWorkers({
      url,
      token: joinToken,
      count: 1,
      runtime: 'node',
      device: 'cpu',
    });
    let filledAt = 0;
    const onEvent = (event: ProgressEvent): void => {
      if (event.type !== 'round' || event.committed.round < 5 || filledAt > 0) return;
      fill();
      filledAt = performance.now();
    };
    const trainer = new GBDTTrainer({
      datasets: { train: flights(60_000) },
      labelColumn: 'is_late',
      params: { objective: 'binary:logistic', max_depth: 6 },
      numBoostRound: ROUNDS,
      scalingConfig: { numWorkers: 1, url },
      runConfig: { name: 'full', storagePath: folder, verbose: 0, callbacks: [{ onEvent }] },
    });
    await expect(trainer.fit()).rejects.toMatchObject({
      code: 'STORAGE_FULL',
      message: expect.stringContaining('the disk has no room left'),
    });
    expect(performance.now() - filledAt).toBeLessThan(20_000);
    const [paused] = await runs(url);
    expect(paused).toMatchObject({
      status: 'running',
      phase: 'waiting',
      waiting: expect.stringContaining('no room'),
    });
    const before = Number(paused!['rounds']);
    expect(before).toBeLessThan(ROUNDS);

    await rm(inVolume('filler'));
    const run = async (): Promise<unknown> => (await runs(url))[0];
    await expect
      .poll(run, { timeout: 90_000, interval: 250 })
      .toMatchObject({ status: 'finished', rounds: ROUNDS });
  },
);
