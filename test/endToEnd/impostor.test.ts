// A thief read a worker's signalling address in a proxy's log while that worker was away for a moment: real coordinator, real
// connections, and the keys that the coordinator gave.

import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Link, LinkConnector, PeerAddress } from '../../client/transport/link.ts';
import { createLinkConnector } from '../../client/transport/linkConnector.ts';
import { openPeerEndpoint } from '../../client/transport/openPeerEndpoint.node.ts';
import { relayOpener } from '../../client/transport/relayChannel.ts';
import { startCoordinator, type Coordinator } from '../../coordinator/core/server/coordinator.ts';
import { WebSocket as NodeWebSocket } from 'ws';
import { groupByHand, joinByHand, type HandmadeWorker } from '../setup/handmadeGroup.ts';

let coordinator: Coordinator;
const closings: (() => Promise<void>)[] = [];

beforeEach(async () => {
  coordinator = await startCoordinator({ port: 0 });
  closings.push(() => coordinator.close());
});

afterEach(async () => {
  for (const close of closings.splice(0).reverse()) await close();
});

interface Reached {
  readonly signalling: boolean;
  readonly relay: boolean;
}

/** A connector with whatever a worker has been given, or somebody stole from it. */
async function connectorOf(
  { welcome }: HandmadeWorker,
  { signalling, relay }: Reached,
): Promise<LinkConnector> {
  const { workerId, secret, signallingToken, peerServer } = welcome;
  const coordinatorUrl = coordinator.url;
  const endpoint = signalling
    ? await openPeerEndpoint({
        peerId: workerId,
        coordinatorUrl,
        ...peerServer,
        token: signallingToken,
        iceServers: [],
      })
    : undefined;
  const openSocket = (url: string): WebSocket => new NodeWebSocket(url) as unknown as WebSocket;
  const openRelay = relay ? relayOpener({ coordinatorUrl, workerId, token: secret, openSocket }) : undefined;
  const connector = createLinkConnector({ workerId, endpoint, openRelay });
  closings.push(() => connector.close());
  return connector;
}

/** Where the other member is, with the key that this one was given for it. */
async function addressFor(self: HandmadeWorker, other: HandmadeWorker): Promise<PeerAddress> {
  const { workerId } = other.welcome;
  const { linkKeys } = await self.assigned;
  return { workerId, peerId: workerId, linkKey: linkKeys[workerId] ?? '' };
}

async function firstWord(link: Link): Promise<string> {
  const heard = await new Promise<Uint8Array>((resolve) => link.onMessage(resolve));
  return new TextDecoder().decode(heard);
}

/** The two members of a run, the one that dials first. */
async function pair(): Promise<[HandmadeWorker, HandmadeWorker]> {
  const members = await groupByHand(coordinator, 2);
  members.sort((a, b) => (a.welcome.workerId < b.welcome.workerId ? -1 : 1));
  return members as [HandmadeWorker, HandmadeWorker];
}

const everything = { signalling: true, relay: true };

it('two members link directly with the keys of their assignments', async () => {
  const [dialler, acceptor] = await pair();
  const { generation } = await dialler.assigned;
  const group = `run/${generation}`;
  const [near, far] = await Promise.all([
    connectorOf(dialler, everything),
    connectorOf(acceptor, everything),
  ]);
  const [atDialler, atAcceptor] = await Promise.all([
    near.connect([await addressFor(dialler, acceptor)], { group }),
    far.connect([await addressFor(acceptor, dialler)], { group }),
  ]);
  const link = atDialler.get(acceptor.welcome.workerId) as Link;
  expect(link.path).toBe('direct');
  const word = firstWord(atAcceptor.get(dialler.welcome.workerId) as Link);
  await link.send(new TextEncoder().encode('hello'));
  expect(await word).toBe('hello');
});

it('a thief with the place of a member at signalling gets no link, and the member is reached by the relay', async () => {
  const [honest, victim] = await pair();
  const { generation } = await honest.assigned;
  const group = `run/${generation}`;
  const [dialling, thieving, awaiting] = await Promise.all([
    connectorOf(honest, everything),
    connectorOf(victim, { signalling: true, relay: false }),
    connectorOf(victim, { signalling: false, relay: true }),
  ]);
  const guess = { ...(await addressFor(victim, honest)), linkKey: 'whatever the thief may think of' };
  const stolen = thieving.connect([guess], { group, timeoutMs: 4_000 });
  stolen.catch(() => undefined);
  const [atHonest, atVictim] = await Promise.all([
    dialling.connect([await addressFor(honest, victim)], { group, directTimeoutMs: 1_500 }),
    awaiting.connect([await addressFor(victim, honest)], { group }),
  ]);
  const link = atHonest.get(victim.welcome.workerId) as Link;
  expect(link.path).toBe('relay');
  const word = firstWord(atVictim.get(honest.welcome.workerId) as Link);
  await link.send(new TextEncoder().encode('for the victim'));
  expect(await word).toBe('for the victim');
  await expect(stolen).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
});

it('a worker of no group reaches none of its members, by signalling or by the relay', async () => {
  const [, member] = await pair();
  const stranger = await joinByHand(coordinator);
  const group = `run/${(await member.assigned).generation}`;
  await connectorOf(member, everything);
  const dialling = await connectorOf(stranger, everything);
  const { workerId } = member.welcome;
  const address = { workerId, peerId: workerId, linkKey: 'none' };

  await expect(
    dialling.connect([address], { group, directTimeoutMs: 600, timeoutMs: 3_000 }),
  ).rejects.toMatchObject({ place: { peer: workerId } });
  expect(coordinator.traffic().relay.sentBytes).toBeLessThan(1_000);
});
