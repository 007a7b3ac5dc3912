// Whoever has got into the place of a worker, by whatever means: the others notice, and make no link. Real connections, over
// a signalling server that gives every id to anybody.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Link, LinkConnector, PeerAddress } from '../../../client/transport/link.ts';
import { createLinkConnector } from '../../../client/transport/linkConnector.ts';
import { openPeerEndpoint } from '../../../client/transport/openPeerEndpoint.node.ts';
import type { PeerEndpoint, RawChannel } from '../../../client/transport/peerEndpoint.ts';
import { addressOf, peerIdOf } from './fixtures/memberProgram.ts';
import { endpointOptions, openRelayOf } from './fixtures/nodeMember.ts';
import { startSignalling, type SignallingServer } from './fixtures/signallingServer.ts';

const group = 'run/1';
const direct = { group, directTimeoutMs: 1_500, timeoutMs: 10_000 };
let server: SignallingServer;
const closings: (() => Promise<void>)[] = [];

const anybody = (): Promise<SignallingServer> => startSignalling({ authorize: () => true });

beforeEach(async () => {
  server = await anybody();
  closings.push(() => server.close());
});

afterEach(async () => {
  for (const close of closings.splice(0).reverse()) await close();
});

async function endpointOf(worker: string, at = server): Promise<PeerEndpoint> {
  const endpoint = await openPeerEndpoint(endpointOptions(at, worker));
  closings.push(() => endpoint.close());
  return endpoint;
}

interface Settings {
  readonly endpoint?: PeerEndpoint;
  readonly relay?: boolean;
}

function connectorOf(
  workerId: string,
  { endpoint, relay = false }: Settings,
  refused: string[] = [],
): LinkConnector {
  const connector = createLinkConnector({
    workerId,
    endpoint,
    openRelay: relay ? openRelayOf(server, workerId) : undefined,
    onUnproven: ({ place }) => refused.push(place.peer ?? ''),
  });
  closings.push(() => connector.close());
  return connector;
}

const withoutKey = (workerId: string): PeerAddress => ({ ...addressOf(workerId), linkKey: 'a guess' });

async function messageOver(from: Link, to: Link, text: string): Promise<string> {
  const heard = new Promise<string>((resolve) =>
    to.onMessage((message) => resolve(new TextDecoder().decode(message))),
  );
  await from.send(new TextEncoder().encode(text));
  return heard;
}

describe('an impostor that has the PeerJS id of a worker', () => {
  it('and is dialled gets no link: the dialler says why', async () => {
    const refused: string[] = [];
    const honest = connectorOf('w-1', { endpoint: await endpointOf('w-1') }, refused);
    const impostor = connectorOf('w-2', { endpoint: await endpointOf('w-2') });
    const accepting = impostor.connect([withoutKey('w-1')], { ...direct, timeoutMs: 3_000 });
    accepting.catch(() => undefined);
    await expect(honest.connect([addressOf('w-2')], direct)).rejects.toMatchObject({
      code: 'PEER_UNPROVEN',
      place: { peer: 'w-2' },
    });
    expect(new Set(refused)).toEqual(new Set(['w-2']));
    await expect(accepting).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
  });

  it('and is dialled does not keep the true one from being reached by the relay', async () => {
    const honest = connectorOf('w-1', { endpoint: await endpointOf('w-1'), relay: true });
    const impostor = connectorOf('w-2', { endpoint: await endpointOf('w-2') });
    const victim = connectorOf('w-2', { relay: true });
    impostor.connect([withoutKey('w-1')], direct).catch(() => undefined);
    const [atHonest, atVictim] = await Promise.all([
      honest.connect([addressOf('w-2')], direct),
      victim.connect([addressOf('w-1')], direct),
    ]);
    const link = atHonest.get('w-2') as Link;
    expect(link.path).toBe('relay');
    expect(await messageOver(link, atVictim.get('w-1') as Link, 'for the true one')).toBe('for the true one');
  });

  it('and dials gets no link, and the true one does as soon as it is back', async () => {
    const refused: string[] = [];
    const honest = connectorOf('w-2', { endpoint: await endpointOf('w-2') }, refused);
    const accepting = honest.connect([addressOf('w-1')], { group, timeoutMs: 15_000 });
    const impostor = connectorOf('w-1', { endpoint: await endpointOf('w-1') });
    await expect(impostor.connect([withoutKey('w-2')], direct)).rejects.toThrow(/w-2/);
    const victim = connectorOf('w-1', { endpoint: await endpointOf('w-1') });
    const links = await victim.connect([addressOf('w-2')], { group, timeoutMs: 15_000 });
    const link = (await accepting).get('w-1') as Link;
    expect(link.path).toBe('direct');
    expect(await messageOver(links.get('w-2') as Link, link, 'from the true one')).toBe('from the true one');
  });

  it('of both ends, and passes all they say on between two connections, gets no link with either', async () => {
    const other = await anybody();
    closings.push(() => other.close());
    const refused: string[] = [];
    const dialler = connectorOf('w-1', { endpoint: await endpointOf('w-1') }, refused);
    const acceptor = connectorOf('w-2', { endpoint: await endpointOf('w-2', other) });
    const towardsDialler = await endpointOf('w-2');
    const towardsAcceptor = await endpointOf('w-1', other);
    let passed = 0;
    const pass = (from: RawChannel, to: RawChannel): void => {
      void Promise.all([from.opened, to.opened]).then(() =>
        from.onMessage((message) => {
          passed += 1;
          try {
            to.send(message);
          } catch {
            // That end has hung up already.
          }
        }),
      );
    };
    towardsDialler.expect({ workerId: 'w-1', peerId: peerIdOf('w-1'), group });
    towardsDialler.onIncoming(({ channel: near }) => {
      const far = towardsAcceptor.dial(peerIdOf('w-2'), { from: 'w-1', to: 'w-2', group });
      pass(near, far);
      pass(far, near);
    });
    const accepting = acceptor.connect([addressOf('w-1')], { group, timeoutMs: 6_000 });
    accepting.catch(() => undefined);
    await expect(
      dialler.connect([addressOf('w-2')], { group, directTimeoutMs: 5_000, timeoutMs: 10_000 }),
    ).rejects.toMatchObject({ code: 'PEER_UNPROVEN', place: { peer: 'w-2' } });
    // The dialler's hello and the acceptor's answer, which was true but for another connection.
    expect(passed).toBeGreaterThanOrEqual(2);
    expect(refused.length).toBeGreaterThanOrEqual(1);
    await expect(accepting).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
  });
});

it('offers of who is in no group with a worker make it open no connection, and tell nobody its addresses', async () => {
  const honest = connectorOf('w-2', { endpoint: await endpointOf('w-2') });
  const member = connectorOf('w-1', { endpoint: await endpointOf('w-1') });
  const stranger = await endpointOf('stranger');
  const globals = globalThis as unknown as { RTCPeerConnection: new (settings: object) => object };
  const Original = globals.RTCPeerConnection;
  let made = 0;
  globals.RTCPeerConnection = class extends Original {
    constructor(settings: object) {
      super(settings);
      made += 1;
    }
  };
  closings.push(async () => void (globals.RTCPeerConnection = Original));
  for (let at = 0; at < 20; at += 1) {
    stranger.dial(peerIdOf('w-2'), { from: 'stranger', to: 'w-2', group: `run/${at % 3}` });
    // Nor under the name of a member.
    stranger.dial(peerIdOf('w-2'), { from: 'w-1', to: 'w-2', group });
  }
  while (server.peers.stats.messages < 40) await new Promise((resolve) => setImmediate(resolve));
  const [links] = await Promise.all([
    member.connect([addressOf('w-2')], { group, timeoutMs: 15_000 }),
    honest.connect([addressOf('w-1')], { group, timeoutMs: 15_000 }),
  ]);
  expect(links.get('w-2')?.path).toBe('direct');
  expect(made).toBe(40 + 2);
});
