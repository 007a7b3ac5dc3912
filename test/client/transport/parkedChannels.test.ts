// Links of one group after the other between the same members: what is dialled, and that nothing of one group gets into the
// next.

import { expect, it } from 'vitest';
import type { Link, LinkConnector } from '../../../client/transport/link.ts';
import { createLinkConnector } from '../../../client/transport/linkConnector.ts';
import type { IncomingChannel, PeerEndpoint } from '../../../client/transport/peerEndpoint.ts';
import { channelPair } from './fixtures/channelPair.ts';
import { addressOf, peerIdOf } from './fixtures/memberProgram.ts';

interface World {
  readonly connectors: ReadonlyMap<string, LinkConnector>;
  /** Of each dial, from whom to whom. */
  readonly dials: string[];
}

function worldOf(...workerIds: string[]): World {
  const dials: string[] = [];
  const accept = new Map<string, (incoming: IncomingChannel) => void>();
  const endpointOf = (workerId: string): PeerEndpoint => ({
    id: peerIdOf(workerId),
    closed: new Promise(() => undefined),
    close: () => Promise.resolve(),
    onIncoming: (enter) => void accept.set(peerIdOf(workerId), enter),
    expect: () => () => undefined,
    useIceServers: () => undefined,
    dial: (peerId, metadata) => {
      dials.push(`${metadata.from} to ${metadata.to}`);
      const [near, far] = channelPair();
      accept.get(peerId)?.({ peerId: peerIdOf(workerId), metadata, channel: far });
      return near;
    },
  });
  const connectors = workerIds.map(
    (workerId) =>
      [
        workerId,
        createLinkConnector({ workerId, endpoint: endpointOf(workerId), openRelay: undefined }),
      ] as const,
  );
  return { connectors: new Map(connectors), dials };
}

type Links = ReadonlyMap<string, ReadonlyMap<string, Link>>;

/** Connects these members for a group; `keyOf` says what a member takes for the key of its links. */
async function connect(
  { connectors }: World,
  group: string,
  members: readonly string[],
  keyOf: (workerId: string) => string = () => `key of ${group}`.padEnd(32, '.'),
): Promise<Links> {
  const links = members.map(async (self) => {
    const peers = members.filter((other) => other !== self);
    const addresses = peers.map((peer) => ({ ...addressOf(peer), linkKey: keyOf(self) }));
    const options = { group, directTimeoutMs: 5_000, timeoutMs: 5_000 };
    return [self, await connectors.get(self)!.connect(addresses, options)] as const;
  });
  return new Map(await Promise.all(links));
}

const park = (links: Links, ...members: string[]): void => {
  for (const member of members)
    for (const link of links.get(member)!.values()) link.park?.('the group is over');
};

/** Sends a byte each way and resolves with what arrives. */
async function speak(links: Links, one: string, other: string, byte: number): Promise<number[]> {
  const near = links.get(one)!.get(other)!;
  const far = links.get(other)!.get(one)!;
  const heard = [near, far].map(
    (link) => new Promise<number>((resolve) => link.onMessage((message) => resolve(message[0]!))),
  );
  await near.send(Uint8Array.of(byte));
  await far.send(Uint8Array.of(byte + 1));
  return Promise.all(heard);
}

it('are made without a dial between those who were in the last group, and by a dial to who is new', async () => {
  const world = worldOf('a', 'b', 'c', 'd');
  const first = await connect(world, 'run/1', ['a', 'b', 'c']);
  expect(world.dials.sort()).toEqual(['a to b', 'a to c', 'b to c']);
  // One of them leaves its links later than the others, with something still under way.
  const late = first.get('c')!;
  await first.get('a')!.get('c')!.send(Uint8Array.of(99));
  park(first, 'a', 'b');
  for (const link of late.values()) await link.closed;
  park(first, 'c');
  world.dials.length = 0;
  const second = await connect(world, 'run/2', ['a', 'b', 'c', 'd']);
  expect(world.dials.sort()).toEqual(['a to d', 'b to d', 'c to d']);
  expect(await speak(second, 'a', 'b', 10)).toEqual([11, 10]);
  expect(await speak(second, 'a', 'c', 20)).toEqual([21, 20]);
  expect(await speak(second, 'c', 'd', 30)).toEqual([31, 30]);
});

it('are dialled anew where the other end has closed its own', async () => {
  const world = worldOf('a', 'b');
  const first = await connect(world, 'run/1', ['a', 'b']);
  park(first, 'a');
  first.get('b')!.get('a')!.close('it has lost its place');
  const second = await connect(world, 'run/2', ['a', 'b']);
  expect(world.dials).toEqual(['a to b', 'a to b']);
  expect(await speak(second, 'a', 'b', 1)).toEqual([2, 1]);
});

it('prove their ends by the key of the new group', async () => {
  const world = worldOf('a', 'b');
  park(await connect(world, 'run/1', ['a', 'b']), 'a', 'b');
  const keys = connect(world, 'run/2', ['a', 'b'], (self) => `another key for ${self}`.padEnd(32, '.'));
  await expect(keys).rejects.toMatchObject({
    code: expect.stringMatching(/PEER_UNPROVEN|DEADLINE_EXCEEDED/),
  });
});

it('are closed to those who are not in the next group', async () => {
  const world = worldOf('a', 'b', 'c');
  park(await connect(world, 'run/1', ['a', 'b', 'c']), 'a', 'b', 'c');
  park(await connect(world, 'run/2', ['a', 'b']), 'a', 'b');
  world.dials.length = 0;
  await connect(world, 'run/3', ['a', 'b', 'c']);
  expect(world.dials.sort()).toEqual(['a to c', 'b to c']);
});

/** Two peers meet for a group that is yet to be formed. */
async function meet({ connectors }: World, one: string, other: string): Promise<void> {
  const options = { group: 'run/1/newcomers', directTimeoutMs: 5_000, timeoutMs: 5_000 };
  const between = (self: string, peer: string): Promise<void> =>
    connectors
      .get(self)!
      .meet([{ ...addressOf(peer), linkKey: 'key of newcomers'.padEnd(32, '.') }], options);
  await Promise.all([between(one, other), between(other, one)]);
}

it('of a newcomer that was met are there when it has a place, whatever groups there were without it', async () => {
  const world = worldOf('a', 'b', 'c');
  const first = await connect(world, 'run/1', ['a', 'b']);
  await meet(world, 'a', 'c');
  await meet(world, 'c', 'b');
  // Said again, it changes nothing.
  await meet(world, 'a', 'c');
  expect(world.dials.sort()).toEqual(['a to b', 'a to c', 'b to c']);
  park(first, 'a', 'b');
  park(await connect(world, 'run/2', ['a', 'b']), 'a', 'b');
  world.dials.length = 0;
  const third = await connect(world, 'run/3', ['a', 'b', 'c']);
  expect(world.dials).toEqual([]);
  expect(await speak(third, 'a', 'c', 10)).toEqual([11, 10]);
  expect(await speak(third, 'c', 'b', 20)).toEqual([21, 20]);
});

it('of a newcomer that could not be met are dialled when it has a place', async () => {
  const world = worldOf('a', 'b');
  const options = { group: 'run/1/newcomers', directTimeoutMs: 20, timeoutMs: 20 };
  await world.connectors.get('b')!.meet([addressOf('a')], options);
  expect(world.dials).toEqual([]);
  const links = await connect(world, 'run/2', ['a', 'b']);
  expect(await speak(links, 'a', 'b', 1)).toEqual([2, 1]);
});

it('of newcomers are few at a time, however many there are: the others are left to the group', async () => {
  const world = worldOf('a');
  const strangers = Array.from({ length: 200 }, (_, i) => addressOf(`n${i}`));
  const options = { group: 'run/1/newcomers', directTimeoutMs: 20, timeoutMs: 20 };
  const both = [strangers.slice(0, 100), strangers.slice(100)].map((some) =>
    world.connectors.get('a')!.meet(some, options),
  );
  await Promise.all(both);
  expect(world.dials).toHaveLength(64);
  // These are over.
  await world.connectors.get('a')!.meet(strangers, options);
  expect(world.dials).toHaveLength(128);
});

it('of newcomers that were met are kept up to a number: the first are dialled anew', async () => {
  const newcomers = Array.from({ length: 66 }, (_, i) => `n${String(i).padStart(2, '0')}`);
  const world = worldOf('a', ...newcomers);
  for (const newcomer of newcomers) await meet(world, 'a', newcomer);
  expect(world.dials).toHaveLength(66);
  world.dials.length = 0;
  for (const newcomer of ['n65', 'n02', 'n01']) await meet(world, 'a', newcomer);
  expect(world.dials).toEqual(['a to n01']);
});
