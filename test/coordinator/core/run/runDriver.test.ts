import { expect, it } from 'vitest';
import { Pool } from '../../../../coordinator/core/pool/pool.ts';
import type { ConnectionEvents } from '../../../../coordinator/core/pool/controlConnection.ts';
import { RunDriver } from '../../../../coordinator/core/run/runDriver.ts';
import type { RunRequest } from '../../../../coordinator/core/run/runRequest.ts';
import {
  PROTOCOL_VERSION,
  type CoordinatorMessage,
  type CoordinatorMessageOf,
} from '../../../../shared/protocol/control.ts';
import { ManualClock, settled } from '../../../setup/manualClock.ts';
import { makeShards } from './runBench.ts';

/** A page with its control socket. */
class Page {
  readonly received: CoordinatorMessage[] = [];
  readonly end: ConnectionEvents;

  constructor(pool: Pool, life: string, identity?: { workerId: string; secret: string }) {
    this.end = pool.attach({
      remoteAddress: 'memory',
      bufferedBytes: 0,
      send: (text) => void this.received.push(JSON.parse(text) as CoordinatorMessage),
      ping: () => undefined,
      close: () => undefined,
      terminate: () => undefined,
    });
    const device = { kind: 'cpu', name: 'x' };
    this.say({
      type: 'hello',
      protocol: PROTOCOL_VERSION,
      runtime: 'browser',
      device,
      cores: 1,
      life,
      identity,
    });
    this.say({ type: 'available', peerId: this.welcome.workerId });
  }

  say(message: unknown): void {
    this.end.message(JSON.stringify(message));
  }

  get welcome(): CoordinatorMessageOf<'welcome'> {
    return this.received.find((message) => message.type === 'welcome')!;
  }

  get generations(): number[] {
    return this.received.flatMap((message) => (message.type === 'assign' ? [message.generation] : []));
  }
}

it('tells a page that was loaded anew nothing that was decided for its former life', async () => {
  const clock = new ManualClock();
  const pool = new Pool({
    clock,
    log: () => undefined,
    peerServer: { path: '/p', key: 'k' },
    iceServers: () => [],
  });
  const keeps: (() => void)[] = [];
  const driver = new RunDriver({
    request: {
      runId: 'run',
      name: 'reload',
      spec: { trainer: 'gbdt', numBoostRound: 3 },
      shards: makeShards(2),
      workers: { min: 1, max: 1 },
      maxFailures: 0,
    } as unknown as RunRequest,
    pool,
    clock,
    log: () => undefined,
    keep: () => new Promise((resolve) => void keeps.push(resolve)),
    blobs: {
      putJson: () => Promise.resolve({ sha256: '0', sizeBytes: 1 }),
      sizeBytes: () => Promise.resolve(1),
    },
  });
  const keepAll = async (): Promise<void> => {
    for (const keep of keeps.splice(0)) keep();
    await settled();
  };
  await settled();
  await keepAll();
  const first = new Page(pool, 'first');
  await clock.advanceSettled(1_000);
  expect([driver.state.generation, first.generations]).toEqual([1, []]);
  const second = new Page(pool, 'second', first.welcome);
  await clock.advanceSettled(1_000);
  expect(driver.state.members).toMatchObject([{ workerId: first.welcome.workerId }]);
  for (let i = 0; i < 5; i += 1) await keepAll();
  expect([driver.state.generation, first.generations, second.generations]).toEqual([2, [], [2]]);
});
