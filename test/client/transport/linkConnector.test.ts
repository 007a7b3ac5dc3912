import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LinkCollective } from '../../../client/collective/linkCollective.ts';
import { ChannelLife } from '../../../client/transport/channelLife.ts';
import { createLinkConnector } from '../../../client/transport/linkConnector.ts';
import { openPeerEndpoint } from '../../../client/transport/openPeerEndpoint.node.ts';
import type { IncomingChannel, PeerEndpoint, RawChannel } from '../../../client/transport/peerEndpoint.ts';
import { channelPair } from './fixtures/channelPair.ts';
import { addressOf } from './fixtures/memberProgram.ts';
import { endpointOptions, nodeConnector, openRelayOf } from './fixtures/nodeMember.ts';
import { startSignalling, type SignallingServer } from './fixtures/signallingServer.ts';

let server: SignallingServer;

beforeAll(async () => {
  server = await startSignalling();
});

afterAll(async () => {
  await server.close();
});

/** An endpoint that never gets a channel to anybody. */
function refusingEndpoint(): PeerEndpoint {
  return {
    id: 'nobody',
    closed: new Promise(() => undefined),
    close: () => Promise.resolve(),
    onIncoming: () => undefined,
    expect: () => () => undefined,
    useIceServers: () => undefined,
    dial: () => {
      throw new Error('no route');
    },
  };
}

const reduceOver = async (
  connectors: readonly ReturnType<typeof createLinkConnector>[],
  members: readonly string[],
  directTimeoutMs: number,
): Promise<{ paths: string[]; results: Float32Array[] }> => {
  const links = await Promise.all(
    connectors.map((connector, rank) =>
      connector.connect(members.filter((_, other) => other !== rank).map(addressOf), {
        group: 'run/1',
        directTimeoutMs,
      }),
    ),
  );
  const results = await Promise.all(
    links.map((held, rank) =>
      new LinkCollective({ rank, members, links: held, generation: 1 }).allReduce(
        new Float32Array(100_000).fill(rank + 1),
      ),
    ),
  );
  return { paths: links.flatMap((held) => [...held.values()].map((link) => link.path)), results };
};

describe('a link connector', () => {
  it('goes through the relay by itself when the endpoint gets nowhere, and the relay counts the bytes', async () => {
    const members = ['refused1', 'refused2'];
    const before = server.relay.stats.bytesRelayed;
    const connectors = members.map((workerId) =>
      createLinkConnector({
        workerId,
        endpoint: refusingEndpoint(),
        openRelay: openRelayOf(server, workerId),
      }),
    );
    const { paths, results } = await reduceOver(connectors, members, 50);
    expect(paths).toEqual(['relay', 'relay']);
    for (const result of results) expect(result.every((value) => value === 3)).toBe(true);
    // Each member sends half of the 400,000 bytes out and half back.
    expect(server.relay.stats.bytesRelayed - before).toBeGreaterThan(800_000);
    expect(server.relay.stats.bytesRelayed - before).toBeLessThan(820_000);
    await Promise.all(connectors.map((connector) => connector.close()));
  });

  it('goes through the relay when ICE may use nothing but TURN and there is none', async () => {
    const members = ['turnless1', 'turnless2'];
    const connectors = await Promise.all(
      members.map((worker) => nodeConnector(server, worker, { iceTransportPolicy: 'relay' })),
    );
    const { paths, results } = await reduceOver(connectors, members, 1000);
    expect(paths).toEqual(['relay', 'relay']);
    for (const result of results) expect(result.every((value) => value === 3)).toBe(true);
    await Promise.all(connectors.map((connector) => connector.close()));
  });

  it('connects directly, with not one byte through the relay', async () => {
    const members = ['near1', 'near2', 'near3'];
    const own = await startSignalling();
    const connectors = await Promise.all(members.map((worker) => nodeConnector(own, worker)));
    const { paths, results } = await reduceOver(connectors, members, 10_000);
    expect(new Set(paths)).toEqual(new Set(['direct']));
    for (const result of results) expect(result.every((value) => value === 6)).toBe(true);
    expect(own.relay.stats).toEqual({ bytesRelayed: 0, openPipes: 0, waitingHalves: 0, refused: 0 });
    await Promise.all(connectors.map((connector) => connector.close()));
    await own.close();
  });

  it('waits for a peer that hears of the group later, and keeps groups apart', async () => {
    const [first, second] = await Promise.all([
      nodeConnector(server, 'apart1'),
      nodeConnector(server, 'apart2'),
    ]);
    const dialled = ['run/1', 'run/2'].map((group) => first.connect([addressOf('apart2')], { group }));
    const answered = await Promise.all(
      ['run/2', 'run/1'].map((group) => second.connect([addressOf('apart1')], { group })),
    );
    const links = await Promise.all(dialled);
    const heard = answered.map(
      (held) =>
        new Promise<number>((resolve) =>
          held.get('apart1')?.onMessage((message) => resolve(message[0] as number)),
        ),
    );
    for (const [at, held] of links.entries()) await held.get('apart2')?.send(Uint8Array.of(at + 1));
    expect(await Promise.all(heard)).toEqual([2, 1]);
    await Promise.all([first.close(), second.close()]);
  });

  it('names the peer that nobody can reach', async () => {
    const connector = await nodeConnector(server, 'lonely1');
    const waiting = connector.connect([addressOf('lonely2')], {
      group: 'run/1',
      directTimeoutMs: 100,
      timeoutMs: 400,
    });
    await expect(waiting).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED', place: { peer: 'lonely2' } });
    const higher = connector.connect([addressOf('lonely0')], {
      group: 'run/1',
      directTimeoutMs: 100,
      timeoutMs: 400,
    });
    await expect(higher).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED', place: { peer: 'lonely0' } });
    const noRelay = createLinkConnector({ workerId: 'lonely1', endpoint: undefined, openRelay: undefined });
    await expect(noRelay.connect([addressOf('lonely2')], { group: 'run/1' })).rejects.toMatchObject({
      code: 'PEER_LOST',
      place: { peer: 'lonely2' },
    });
    await connector.close();
  });

  it('stops when the caller aborts', async () => {
    const connector = createLinkConnector({
      workerId: 'aborted1',
      endpoint: refusingEndpoint(),
      openRelay: openRelayOf(server, 'aborted1'),
    });
    const controller = new AbortController();
    const waiting = connector.connect([addressOf('aborted2')], { group: 'run/1', signal: controller.signal });
    controller.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'ABORTED' });
  });

  it('refuses channels that are for somebody else, say nothing, or come from another PeerJS id than their worker has', async () => {
    let enter!: (incoming: IncomingChannel) => void;
    const endpoint = { ...refusingEndpoint(), onIncoming: (accept: typeof enter) => void (enter = accept) };
    const connector = createLinkConnector({ workerId: 'host', endpoint, openRelay: undefined });
    const reasonFor = (peerId: string, metadata: unknown): Promise<string> =>
      new Promise((resolve) => {
        const channel: RawChannel = {
          opened: new Promise(() => undefined),
          closed: new Promise(() => undefined),
          send: () => undefined,
          room: () => undefined,
          onMessage: () => undefined,
          close: resolve,
        };
        enter({ peerId, metadata, channel });
      });
    const waiting = connector.connect([addressOf('guest')], { group: 'run/1', timeoutMs: 300 });
    waiting.catch(() => undefined);
    const greeting = { from: 'guest', to: 'host', group: 'run/1' };
    for (const metadata of [
      undefined,
      null,
      'text',
      {},
      { ...greeting, to: 'other' },
      { ...greeting, group: 7 },
    ]) {
      expect(await reasonFor('guest-peer', metadata)).toBe('it is not for this worker');
    }
    expect(await reasonFor('thief-peer', greeting)).toContain('another PeerJS id');
    await expect(waiting).rejects.toMatchObject({ place: { peer: 'guest' } });
  });
});

it('a connector greets four channels of a dialler at a time, and lets the oldest go for another', async () => {
  let enter!: (incoming: IncomingChannel) => void;
  const endpoint = { ...refusingEndpoint(), onIncoming: (accept: typeof enter) => void (enter = accept) };
  const connector = createLinkConnector({ workerId: 'host', endpoint, openRelay: undefined });
  const waiting = connector.connect([addressOf('guest')], { group: 'run/1', timeoutMs: 300 });
  const metadata = { from: 'guest', to: 'host', group: 'run/1' };
  const reasons = Array.from({ length: 6 }, () => {
    const [, channel] = channelPair();
    enter({ peerId: 'guest-peer', metadata, channel });
    return channel.closed;
  });
  expect(await Promise.all(reasons.slice(0, 2))).toEqual(Array(2).fill('the dialler opened too many others'));
  await expect(waiting).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
  expect(await Promise.all(reasons.slice(2))).toEqual(Array(4).fill('it was not needed'));
});

it('a channel that nobody reads keeps a quarter of a MiB, and then ends', async () => {
  let dropped = '';
  const life = new ChannelLife((reason) => (dropped = reason));
  for (let at = 0; at < 256; at += 1) life.take(new Uint8Array(960));
  expect(life.isOver).toBe(false);
  life.take('');
  expect([life.isOver, dropped]).toEqual([true, 'more messages than the queue holds arrived unread']);
});

describe('a PeerJS endpoint', () => {
  it.each([
    ['a wrong key', { key: 'wrong' }, 'SIGNALLING_REFUSED'],
    ['a token of another worker', { token: 'token-of-somebody' }, 'SIGNALLING_REFUSED'],
    ['an id that PeerJS does not accept', { peerId: '--' }, 'SIGNALLING_REFUSED'],
    ['no server at that address', { coordinatorUrl: 'http://127.0.0.1:9' }, 'SIGNALLING_FAILED'],
  ])('does not open with %s', async (_, changes, code) => {
    const opening = openPeerEndpoint({ ...endpointOptions(server, 'visitor'), ...changes });
    await expect(opening).rejects.toMatchObject({ code });
  });

  it('opens under an id whose former socket the server still takes for alive', async () => {
    const former = await openPeerEndpoint(endpointOptions(server, 'twice'));
    const latter = await openPeerEndpoint(endpointOptions(server, 'twice'));
    await Promise.all([former.close(), latter.close()]);
  });
});
