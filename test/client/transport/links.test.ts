// One contract for every kind of link, then the collectives' contract over real ones.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Link, LinkPath } from '../../../client/transport/link.ts';
import { memoryLinkPair } from '../../../client/transport/memoryLink.ts';
import { collectiveContract } from '../collective/collectiveContract.ts';
import { groupOver } from '../collective/memoryGroup.ts';
import { connectGroup } from './fixtures/connectedGroup.ts';
import { startSignalling, type SignallingServer } from './fixtures/signallingServer.ts';

let server: SignallingServer;
let groups = 0;

beforeAll(async () => {
  server = await startSignalling();
});

afterAll(async () => {
  await server.close();
});

interface Pair {
  readonly near: Link;
  readonly far: Link;
  readonly close: () => Promise<void>;
}

async function makePair(path: LinkPath): Promise<Pair> {
  if (path === 'memory') {
    const [near, far] = memoryLinkPair('a', 'b');
    return { near, far, close: () => Promise.resolve() };
  }
  groups += 1;
  const group = await connectGroup(server, path, 2, `pair${groups}x`);
  const [near, far] = group.links.map((links) => [...links.values()][0] as Link);
  return { near: near as Link, far: far as Link, close: () => group.close() };
}

/** Collects messages until `count` have come. */
function collect(link: Link, count: number): Promise<Uint8Array[]> {
  return new Promise((resolve) => {
    const messages: Uint8Array[] = [];
    link.onMessage((message) => {
      messages.push(message.slice());
      if (messages.length === count) resolve(messages);
    });
  });
}

function numbered(at: number, length: number): Uint8Array {
  return new Uint8Array(length).fill(at & 255);
}

describe.each(['memory', 'direct', 'relay'] as const)('a %s link', (path) => {
  it('delivers messages of every size whole, in order, both ways at once, and counts their bytes', async () => {
    const { near, far, close } = await makePair(path);
    expect([near.path, far.path]).toEqual([path, path]);
    expect(near.maxMessageBytes).toBe(262_144);
    const lengths = [1, 63, 64, 65, 257, 65_536, near.maxMessageBytes];
    const arrivals = [collect(near, lengths.length), collect(far, lengths.length)];
    for (const [at, length] of lengths.entries()) {
      await Promise.all([near.send(numbered(at, length)), far.send(numbered(at + 100, length))]);
    }
    const [atNear, atFar] = await Promise.all(arrivals);
    expect(atFar?.map((message) => message.length)).toEqual(lengths);
    expect(atFar?.every((message, at) => message.every((byte) => byte === at))).toBe(true);
    expect(atNear?.every((message, at) => message.every((byte) => byte === at + 100))).toBe(true);
    const total = lengths.reduce((sum, length) => sum + length, 0);
    for (const { stats } of [near, far]) expect(stats).toEqual({ bytesSent: total, bytesReceived: total });
    await close();
  });

  it('lets the sender use its buffer again, and keeps what arrives before somebody listens', async () => {
    const { near, far, close } = await makePair(path);
    const buffer = new Uint8Array(1000);
    for (let at = 0; at < 50; at += 1) await near.send(buffer.fill(at));
    const messages = await collect(far, 50);
    expect(messages.map((message) => message[999])).toEqual(Array.from({ length: 50 }, (_, at) => at));
    await close();
  });

  it('makes a sender wait that is faster than the link, and loses nothing', async () => {
    const { near, far, close } = await makePair(path);
    const count = 256;
    const arrived = collect(far, count);
    let handedOver = 0;
    let mostAhead = 0;
    const message = new Uint8Array(128 * 1024);
    for (let at = 0; at < count; at += 1) {
      message[0] = at;
      await near.send(message);
      handedOver += message.length;
      mostAhead = Math.max(mostAhead, handedOver - far.stats.bytesReceived);
    }
    expect((await arrived).map((one) => one[0])).toEqual(Array.from({ length: count }, (_, at) => at & 255));
    expect(mostAhead).toBeLessThan(6 * 1024 * 1024);
    await close();
  });

  it('delivers what was sent before it was closed, then tells both ends the reason', async () => {
    const { near, far, close } = await makePair(path);
    const arrived = collect(far, 20);
    const sending = Array.from({ length: 20 }, (_, at) => near.send(numbered(at, 100_000)));
    await Promise.allSettled(sending);
    near.close('generation 3 is over');
    expect(await near.closed).toBe('generation 3 is over');
    expect(await arrived).toHaveLength(20);
    expect(await far.closed).toBe('generation 3 is over');
    for (const link of [near, far]) {
      await expect(link.send(numbered(1, 1))).rejects.toMatchObject({
        code: 'PEER_LOST',
        place: { peer: link.peer },
      });
    }
    await close();
  });
});

describe.each(['direct', 'relay'] as const)('collectives over %s links', (path) => {
  collectiveContract(
    async (size) => {
      groups += 1;
      const group = await connectGroup(server, path, size, `group${groups}x`);
      return { collectives: groupOver(group.members, group.links).collectives, close: () => group.close() };
    },
    { groupSizes: [2, 4], lengths: [0, 1, 63, 64, 65, 257, 300_000] },
  );
});
