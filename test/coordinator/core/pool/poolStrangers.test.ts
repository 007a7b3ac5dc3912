// Whose work is checked in a pool, and what comes of a lie.

import { beforeEach, describe, expect, it } from 'vitest';
import type { PoolOptions } from '../../../../coordinator/core/pool/poolOptions.ts';
import { Client, hello, lossesOf, startPool, type PoolWorld } from './poolWorld.ts';

let { pool, events }: PoolWorld = startPool();

function makePool(options: Partial<PoolOptions> = {}): void {
  ({ pool, events } = startPool(options));
}
beforeEach(() => makePool());

const losses = (): string[] => lossesOf(events);

describe('strangers and the owner', () => {
  const available = (client: Client): string => {
    const { workerId } = client.welcome;
    client.say({ type: 'available', peerId: workerId });
    return workerId;
  };
  const logged: string[] = [];
  let stranger: string;
  let own: string;
  let client: Client;

  beforeEach(() => {
    logged.length = 0;
    makePool({
      isOwners: ({ joinToken }) => joinToken === 'local',
      joinTokens: () => ['join', 'local'],
      log: ({ level, message }) => level !== 'info' && logged.push(`${level} ${message}`),
    });
    client = new Client(pool).say({ ...hello, token: 'join' });
    stranger = available(client);
    own = available(new Client(pool).say({ ...hello, token: 'local' }));
    events.length = 0;
  });

  it('are told apart by the token, and checks count for strangers alone', () => {
    expect(pool.workers()).toMatchObject([
      { isOwners: false, checksPassed: 0 },
      { isOwners: true, checksPassed: 0 },
    ]);
    pool.passCheck(stranger);
    pool.passCheck(stranger, 8);
    pool.passCheck(own, 20);
    pool.passCheck('w-gone', 3);
    expect(pool.workers().map(({ checksPassed }) => checksPassed)).toEqual([9, 0]);
    // Everybody looks at the pool at a change: the tenth check makes a worker proven, and those before nothing.
    expect(events).toEqual([]);
    pool.passCheck(stranger);
    expect(events).toMatchObject([{ type: 'changed', worker: { workerId: stranger, checksPassed: 10 } }]);
    pool.passCheck(stranger, 100);
    expect(events).toHaveLength(1);
  });

  it('keep their checks when they come back', () => {
    pool.passCheck(stranger, 12);
    const { workerId, secret } = client.welcome;
    const identity = { workerId, secret };
    new Client(pool).say({ ...hello, token: 'join', identity, life: 'another' });
    expect(pool.worker(stranger)).toMatchObject({ checksPassed: 12, isOwners: false });
  });

  it('a stranger that lied is sent away, told why, and kept out until it is pardoned', async () => {
    pool.passCheck(stranger, 12);
    pool.convict(stranger, { what: 'another sum', runId: 'r', round: 7 });
    const reason = 'another sum (run r, round 7)';
    expect([pool.worker(stranger), losses()]).toEqual([undefined, [`sent away: ${reason}`]]);
    expect(client.received.at(-1)).toEqual({ type: 'shutdown', reconnect: false, reason });
    expect(logged).toEqual([`warn Worker ${stranger} lied, and is banned: ${reason}`]);
    const { workerId, secret } = client.welcome;
    const again = { ...hello, token: 'join', identity: { workerId, secret }, life: 'another' };
    expect(new Client(pool).say(again).refusal).toMatchObject({ code: 'WORKER_REMOVED', message: reason });
    expect(await pool.pardon(stranger)).toMatchObject([{ workerId: stranger }]);
    expect(new Client(pool).say(again).welcome.workerId).toBe(stranger);
    expect(pool.worker(stranger)?.checksPassed).toBe(0);
  });

  it('a stranger that went before its lie was found does not come back', () => {
    client.end.closed(1001, '');
    pool.convict(stranger, { what: 'x' });
    const { workerId, secret } = client.welcome;
    const again = { ...hello, token: 'join', identity: { workerId, secret }, life: 'another' };
    expect(new Client(pool).say(again).refusal).toMatchObject({ code: 'WORKER_REMOVED', message: 'x' });
  });

  it("evidence against the owner's worker is a defect: it stays, and the log says so", () => {
    pool.convict(own, { what: 'another sum' });
    expect(pool.worker(own)).toMatchObject({ present: true, isOwners: true });
    expect(logged).toEqual([
      `error A defect: there is evidence against the owner's own worker ${own}, which is believed: another sum`,
    ]);
    pool.remove(({ workerId }) => workerId === own, 'gone');
    pool.convict(own, { what: 'another sum' });
    expect(logged.slice(-1)).toEqual(logged.slice(0, 1));
  });
});
