// Losing the signalling server for however long must not be felt on links that are up, nor hinder new ones afterwards.

import { afterEach, beforeEach, expect, it } from 'vitest';
import { LinkCollective } from '../../../client/collective/linkCollective.ts';
import type { Link, LinkConnector } from '../../../client/transport/link.ts';
import { ManualClock } from '../../setup/manualClock.ts';
import { addressOf } from './fixtures/memberProgram.ts';
import { nodeConnector } from './fixtures/nodeMember.ts';
import { startSignalling, type SignallingServer } from './fixtures/signallingServer.ts';

const members = ['kept1', 'kept2'];
let server: SignallingServer;
let connectors: LinkConnector[];
let clocks: ManualClock[];

beforeEach(async () => {
  server = await startSignalling();
  clocks = members.map(() => new ManualClock());
  connectors = await Promise.all(members.map((worker, at) => nodeConnector(server, worker, {}, clocks[at])));
});

afterEach(async () => {
  await Promise.all(connectors.map((connector) => connector.close()));
  await server.close();
});

const connect = (group: string): Promise<Map<string, Link>[]> =>
  Promise.all(
    connectors.map((connector, rank) =>
      connector.connect([addressOf(members[1 - rank] as string)], { group, directTimeoutMs: 15_000 }),
    ),
  );

const collectivesOver = (links: readonly Map<string, Link>[]): LinkCollective[] =>
  links.map((held, rank) => new LinkCollective({ rank, members, links: held, generation: 1 }));

async function reduce(collectives: readonly LinkCollective[]): Promise<void> {
  const sums = await Promise.all(
    collectives.map((collective, rank) => collective.allReduce(new Int32Array(100_000).fill(rank + 1))),
  );
  for (const sum of sums) expect(sum.every((value) => value === 3)).toBe(true);
}

/** Lets time pass for signalling until `work` is done. */
async function withTimePassing<T>(work: Promise<T>): Promise<T> {
  const passing = { over: false };
  const stop = async (): Promise<void> => {
    await Promise.allSettled([work]);
    passing.over = true;
  };
  void stop();
  while (!passing.over) {
    for (const clock of clocks) clock.advance(8_000);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return work;
}

async function untilPresent(count: number): Promise<void> {
  while (server.peers.stats.clients !== count) await new Promise((resolve) => setImmediate(resolve));
}

it('a running group goes on through twenty failed attempts to reach signalling, and new links are direct again', async () => {
  const links = await connect('run/1');
  const collectives = collectivesOver(links);
  await reduce(collectives);
  server.outage.begin();
  for (let attempt = 0; attempt < 20; attempt += 1) {
    await withTimePassing(server.outage.nextAttempt());
    await reduce(collectives);
  }
  server.outage.restore();
  await withTimePassing(untilPresent(2));
  await reduce(collectives);
  const later = await connect('run/2');
  expect(later.flatMap((held) => [...held.values()].map((link) => link.path))).toEqual(['direct', 'direct']);
  await reduce(collectivesOver(later));
});

it('a connection that is asked for during an outage is made when signalling is back', async () => {
  server.outage.begin();
  await untilPresent(0);
  const connecting = connect('run/1');
  await withTimePassing(server.outage.nextAttempt());
  server.outage.restore();
  await withTimePassing(untilPresent(2));
  const links = await connecting;
  expect(links.flatMap((held) => [...held.values()].map((link) => link.path))).toEqual(['direct', 'direct']);
  await reduce(collectivesOver(links));
});
