// Real workers, one of which forges what it tells: the model is that of the others, and the forger is named.

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Dataset } from '../../coordinator/data/dataset.ts';
import { TOKEN_FROM_INPUT } from '../../shared/protocol/launchReport.ts';
import { flights, Swarm } from './swarm.ts';
import type { Trained } from './swarm.ts';

const ROWS = 200_000;
const START_TIMEOUT_MS = 60_000;

let swarm: Swarm;
let train: Dataset;
let alone: Trained;
const forgers: ChildProcess[] = [];

/** A Node worker whose control messages are forged. @returns its id. */
async function addForger(): Promise<string> {
  const { pool, url, tokens } = swarm.coordinator;
  const known = new Set(pool.workers().map(({ workerId }) => workerId));
  const preload = ['--import', 'tsx', '--import', './test/endToEnd/fixtures/forgeRounds.ts'];
  const flags = ['--url', url, '--device', 'cpu', '--cache', 'none', '--code', 'deny'];
  flags.push('--token', TOKEN_FROM_INPUT);
  const child = spawn(process.execPath, [...preload, 'dist/node/worker.js', ...flags], {
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  forgers.push(child);
  child.stdin.write(`${tokens.join}\n`);
  let said = '';
  child.stderr.on('data', (data: Buffer) => (said += data.toString()));
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`The forger did not join: ${said}`)), START_TIMEOUT_MS);
    const unsubscribe = pool.on(({ worker }) => {
      if (known.has(worker.workerId) || worker.peerId === undefined) return;
      clearTimeout(late);
      unsubscribe();
      resolve(worker.workerId);
    });
  });
}

beforeAll(async () => {
  swarm = await Swarm.start();
  train = await flights(ROWS).materialize();
  await swarm.add('node');
  alone = await swarm.train({ datasets: { train } }, 1);
  await swarm.dismiss();
});
afterEach(async () => {
  const ended = forgers.splice(0).map(async (child) => {
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  });
  await Promise.all([...ended, swarm.dismiss()]);
  while (swarm.coordinator.pool.workers().length > 0) await new Promise((resolve) => setImmediate(resolve));
});
afterAll(() => swarm.close());

describe('a worker that forges its trees and metrics', () => {
  it.each([
    ['the first', true],
    ['the last', false],
  ])('is found where it joined as %s, and writes nothing of the model', async (_, isFirst) => {
    let forger = isFirst ? await addForger() : '';
    await swarm.add('node', 'cpu', 2);
    if (!isFirst) forger = await addForger();
    const trained = await swarm.train({ datasets: { train } }, [2, 3]);
    expect(trained.modelText).toBe(alone.modelText);
    expect(trained.result.metrics).toEqual(alone.result.metrics);
    const lost = trained.events.flatMap((event) => (event.type === 'workerLost' ? [event] : []));
    expect(lost.map(({ workerId, reason }) => [workerId, reason])).toEqual([
      [forger, 'its trees and metrics of round 0 differ from those of most members'],
    ]);
  });

  it('ends the run of a pair, since nobody can tell who is right', async () => {
    const forger = await addForger();
    // A stranger too: of a worker of the owner's it would be known.
    const [honest] = await swarm.add('node', 'cpu', 1, true, 'join');
    await expect(swarm.train({ datasets: { train } }, 2)).rejects.toMatchObject({
      code: 'MEMBERS_DISAGREE',
      message: `Workers ${forger} and ${honest!.workerId} came to different trees and metrics of round 0, and nobody can tell who is right, 2 times`,
    });
  });
});
