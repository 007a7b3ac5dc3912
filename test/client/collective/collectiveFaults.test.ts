// Every way in which a collective can go wrong must end, soon, with an error that names the peer.

import { describe, expect, it } from 'vitest';
import { LinkCollective, type LinkCollectiveOptions } from '../../../client/collective/linkCollective.ts';
import { memoryLinkPair, type Courier, type Parcel } from '../../../client/transport/memoryLink.ts';
import type { Collective } from '../../../shared/collective/collective.ts';
import { encodeFrame, type FrameHeader } from '../../../shared/wire/frame.ts';
import { ManualClock } from '../../setup/manualClock.ts';
import { expectSameBits, randomArray, rankOrderReduction } from './collectiveData.ts';
import { memoryGroup, type TestGroup } from './memoryGroup.ts';

/** More than any test sends. */
const MAX_BYTES = 2 ** 30;

const messageBytes = 16 * 1024;

interface Ended {
  readonly rank: number;
  readonly error: { code: string; place: { peer?: string }; message: string } | undefined;
}

/** One call of a collective at one member, checked against an oracle. */
interface Subject {
  readonly size: number;
  readonly options?: Partial<LinkCollectiveOptions>;
  readonly run: (collective: Collective) => Promise<void>;
}

const length = 20_000;

const inputs = [0, 1, 2].map((rank) => randomArray('f64', length, rank) as Float64Array);
const reduced = rankOrderReduction(inputs, 'sum');

async function reduceAll(collective: Collective): Promise<void> {
  const own = inputs[collective.rank] as Float64Array;
  expectSameBits(await collective.allReduce(own.slice()), reduced);
}

/** What member `from` has for member `to`: several frames for some, one for others, none at all for one. */
function lettersFor(from: number, to: number): Uint8Array {
  return new Uint8Array(from * 13_000 + to * 9_000).fill(from * 16 + to);
}

async function broadcastFromOne(collective: Collective): Promise<void> {
  const sent = new Uint8Array(70_001).map((_, at) => at * 31);
  const own = collective.rank === 1 ? sent : new Uint8Array(0);
  expect(Buffer.compare(await collective.broadcast(own, 1, { maxBytes: MAX_BYTES }), sent)).toBe(0);
}

const subjects: Readonly<Record<string, Subject>> = {
  'direct all-reduce': { size: 3, options: { allReduceAlgorithm: 'direct' }, run: reduceAll },
  'chained all-reduce': { size: 3, options: { allReduceAlgorithm: 'chain' }, run: reduceAll },
  'reduce-scatter': {
    size: 3,
    run: async (collective) => {
      const bounds = [0, 1, 12_000, length];
      const [from, to] = bounds.slice(collective.rank);
      const kept = await collective.reduceScatter(inputs[collective.rank] as Float64Array, bounds);
      expectSameBits(kept, reduced.slice(from, to));
    },
  },
  'all-gather': {
    size: 3,
    run: async (collective) => {
      const gathered = await collective.allGather(lettersFor(collective.rank, 1), { maxBytes: MAX_BYTES });
      for (const [from, bytes] of gathered.entries())
        expect(Buffer.compare(bytes, lettersFor(from, 1))).toBe(0);
    },
  },
  exchange: {
    size: 3,
    run: async (collective) => {
      const { rank } = collective;
      const received = await collective.exchange(
        [0, 1, 2].map((to) => lettersFor(rank, to)),
        { maxBytes: MAX_BYTES },
      );
      for (const [from, bytes] of received.entries())
        expect(Buffer.compare(bytes, lettersFor(from, rank))).toBe(0);
    },
  },
  'broadcast to each': { size: 3, run: broadcastFromOne },
  'broadcast along a chain': { size: 5, run: broadcastFromOne },
  barrier: { size: 4, run: (collective) => collective.barrier() },
};

/** One call; whoever fails closes its links, as a worker's session does. */
async function callOnce({ run }: Subject, group: TestGroup): Promise<Ended[]> {
  return Promise.all(
    group.collectives.map(async (collective, rank) => {
      try {
        await run(collective);
        return { rank, error: undefined };
      } catch (error) {
        for (const link of group.links[rank]?.values() ?? []) link.close('its collective failed');
        return { rank, error: error as Ended['error'] };
      }
    }),
  );
}

function groupFor(
  { size, options }: Subject,
  courier: Courier,
  more: Partial<LinkCollectiveOptions> = {},
): TestGroup {
  return memoryGroup(
    size,
    { courier, maxMessageBytes: messageBytes, highWaterBytes: 1e9 },
    { ...options, ...more },
  );
}

function closeAll(group: TestGroup, rank: number, reason: string): void {
  for (const link of group.links[rank]?.values() ?? []) link.close(reason);
}

async function countParcels(subject: Subject): Promise<number> {
  let parcels = 0;
  const courier: Courier = (parcel) => {
    parcels += 1;
    queueMicrotask(() => parcel.arrive());
  };
  await callOnce(subject, groupFor(subject, courier));
  return parcels;
}

describe.each(Object.entries(subjects))('a call of %s', (_, subject) => {
  it('in which a peer dies at any frame ends for all: with the right bits, or naming who was lost', async () => {
    const parcels = await countParcels(subject);
    expect(parcels).toBeGreaterThan(8);
    for (let fatal = 0; fatal < parcels; fatal += 1) {
      let seen = 0;
      let victim: string | undefined;
      const made: { group?: TestGroup } = {};
      const courier: Courier = (parcel) => {
        if (seen === fatal) {
          victim = parcel.from;
          closeAll(made.group as TestGroup, Number(victim.slice(-1)), 'it died');
        }
        seen += 1;
        if (parcel.from !== victim) queueMicrotask(() => parcel.arrive());
      };
      const group = groupFor(subject, courier);
      made.group = group;
      const ends = await callOnce(subject, group);
      const survivors = ends.filter(({ rank }) => `worker-${rank}` !== victim);
      const failed = survivors.flatMap(({ error }) => (error ? [error] : []));
      for (const error of failed) expect(error.code).toBe('PEER_LOST');
      if (failed.length > 0) expect(failed.map(({ place }) => place.peer)).toContain(victim);
    }
  });

  it('in which any frame is damaged fails with the name of its sender', async () => {
    const parcels = await countParcels(subject);
    for (let damaged = 0; damaged < parcels; damaged += 1) {
      let seen = 0;
      let culprit: Parcel | undefined;
      const courier: Courier = (parcel) => {
        const hit = seen === damaged;
        seen += 1;
        if (hit) {
          culprit = parcel;
          const at = (damaged * 997) % parcel.message.length;
          parcel.message[at] = (parcel.message[at] as number) ^ 4;
        }
        queueMicrotask(() => parcel.arrive());
      };
      const ends = await callOnce(subject, groupFor(subject, courier));
      const receiver = ends[Number(culprit?.to.slice(-1))];
      expect(receiver?.error?.code).toMatch(/^FRAME_/);
      expect(receiver?.error?.place.peer).toBe(culprit?.from);
    }
  });

  it('in which any frame is lost fails, naming a peer, when the deadline comes and not before', async () => {
    const parcels = await countParcels(subject);
    for (let dropped = 0; dropped < parcels; dropped += 1) {
      const clock = new ManualClock();
      let seen = 0;
      let ended = false;
      const courier: Courier = (parcel) => {
        const lost = seen === dropped;
        seen += 1;
        if (!lost) queueMicrotask(() => parcel.arrive());
      };
      const running = callOnce(subject, groupFor(subject, courier, { clock, timeoutMs: 5000 }));
      void running.then(() => (ended = true));
      // Everything that can happen without time passing happens.
      await new Promise((resolve) => setImmediate(resolve));
      clock.advance(4999);
      await new Promise((resolve) => setImmediate(resolve));
      // A frame behind the lost one shows the gap at once; without one, the deadline does.
      if (!ended) clock.advance(1);
      const codes = (await running).flatMap(({ error }) => (error ? [error] : []));
      expect(codes.length).toBeGreaterThan(0);
      for (const error of codes) {
        expect(['DEADLINE_EXCEEDED', 'FRAME_INVALID', 'PEER_LOST']).toContain(error.code);
        expect(error.place.peer).toMatch(/^worker-\d$/);
      }
      expect(clock.pending).toBe(0);
    }
  });

  it('gives the same bits whatever order peers are heard in', async () => {
    for (const slow of [0, 1, 2]) {
      const held: Parcel[] = [];
      const courier: Courier = (parcel) => {
        if (parcel.from === `worker-${slow}`) held.push(parcel);
        else queueMicrotask(() => parcel.arrive());
      };
      const running = callOnce(subject, groupFor(subject, courier));
      const state = { done: false };
      void running.then(() => (state.done = true));
      for (let turn = 0; turn < 10_000 && !state.done; turn += 1) {
        await new Promise((resolve) => setImmediate(resolve));
        held.shift()?.arrive();
      }
      for (const { error } of await running) expect(error).toBeUndefined();
    }
  });
});

describe('a collective', () => {
  const frame = (changes: Partial<FrameHeader>, payload = new Uint8Array(8)): Uint8Array =>
    encodeFrame(
      {
        kind: 'data',
        elementType: 'bytes',
        generation: 7,
        sequence: 0,
        stream: 0,
        part: 1,
        offset: 0,
        totalBytes: 8,
        ...changes,
      },
      payload,
    );

  function pair(clock?: ManualClock): {
    readonly collective: LinkCollective;
    readonly say: (message: Uint8Array) => Promise<void>;
    readonly closeFar: (reason: string) => void;
  } {
    const [near, far] = memoryLinkPair('worker-0', 'worker-1');
    const collective = new LinkCollective({
      rank: 0,
      members: ['worker-0', 'worker-1'],
      links: new Map([['worker-1', near]]),
      generation: 7,
      timeoutMs: 1000,
      ...(clock ? { clock } : {}),
    });
    const say = async (message: Uint8Array): Promise<void> => {
      await far.send(message);
      await new Promise((resolve) => setImmediate(resolve));
    };
    return { collective, say, closeFar: (reason) => far.close(reason) };
  }

  it('drops and counts frames of another generation, and goes on', async () => {
    const { collective, say } = pair();
    await say(frame({ generation: 6 }));
    await say(frame({ generation: 8 }));
    expect(collective.stats.staleFrames).toBe(2);
    const gathering = collective.allGather(Uint8Array.of(1), { maxBytes: MAX_BYTES });
    await say(frame({ totalBytes: 8 }, new Uint8Array(8).fill(5)));
    expect(await gathering).toEqual([Uint8Array.of(1), new Uint8Array(8).fill(5)]);
    await say(frame({}));
    expect(collective.stats.staleFrames).toBe(3);
  });

  it.each([
    ['a gap', { offset: 4 }, 4],
    ['the part of another rank', { part: 0 }, 8],
    ['an unknown stream', { stream: 2 }, 8],
    ['a collective far ahead', { sequence: 5000 }, 8],
    ['more bytes than announced', { totalBytes: 4 }, 8],
  ] as const)('refuses %s and names the peer', async (_, changes, bytes) => {
    const { collective, say } = pair();
    const gathering = collective.allGather(new Uint8Array(0), { maxBytes: MAX_BYTES });
    const refused = expect(gathering).rejects.toMatchObject({
      code: 'FRAME_INVALID',
      place: { peer: 'worker-1' },
    });
    await say(frame(changes, new Uint8Array(bytes)));
    await refused;
    await expect(collective.barrier()).rejects.toMatchObject({ code: 'FRAME_INVALID' });
  });

  it('refuses a peer that sends far more than its window before anybody reads it', async () => {
    const { collective, say } = pair();
    const totalBytes = 64 * 1024 * 1024;
    const chunk = new Uint8Array(128 * 1024);
    for (let offset = 0; offset <= 5 * 1024 * 1024; offset += chunk.length)
      await say(frame({ offset, totalBytes }, chunk));
    await expect(collective.barrier()).rejects.toMatchObject({
      code: 'FRAME_INVALID',
      place: { peer: 'worker-1' },
    });
  });

  it('refuses an announcement of more memory than it would give', async () => {
    const { collective, say } = pair();
    const refused = expect(
      collective.allGather(new Uint8Array(0), { maxBytes: MAX_BYTES }),
    ).rejects.toMatchObject({
      code: 'FRAME_INVALID',
    });
    await say(frame({ totalBytes: 2 ** 32 - 1 }));
    await refused;
  });

  it('says that members disagree when their lengths or types differ', async () => {
    const lengths = memoryGroup(2).collectives;
    const ends = await Promise.allSettled([
      lengths[0]?.allReduce(new Float32Array(10)),
      lengths[1]?.allReduce(new Float32Array(12)),
    ]);
    expect(ends.map((end) => (end as PromiseRejectedResult).reason.message).join()).toContain(
      'different lengths',
    );
    const types = memoryGroup(2).collectives;
    const mixed = await Promise.allSettled([
      types[0]?.allReduce(new Float32Array(10)),
      types[1]?.allReduce(new Int32Array(10)),
    ]);
    expect(mixed.map((end) => (end as PromiseRejectedResult).reason.message).join()).toContain(
      'different collectives',
    );
  });

  it('names the peer that does not come to a barrier, at the deadline of the call', async () => {
    const clock = new ManualClock();
    const { collective } = pair(clock);
    const waiting = collective.barrier({ timeoutMs: 300 });
    const refused = expect(waiting).rejects.toMatchObject({
      code: 'DEADLINE_EXCEEDED',
      place: { peer: 'worker-1' },
    });
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(300);
    await refused;
    expect(clock.pending).toBe(0);
  });

  it('rejects at once when the caller aborts, before or during the call', async () => {
    const controller = new AbortController();
    const { collective } = pair();
    const waiting = collective.barrier({ signal: controller.signal });
    controller.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'ABORTED' });
    await expect(pair().collective.barrier({ signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'ABORTED',
    });
  });

  it("is lost with a peer that leaves before it took this member's part", async () => {
    const { collective, say, closeFar } = pair();
    await say(frame({ totalBytes: 8 }));
    closeFar('done');
    await new Promise((resolve) => setImmediate(resolve));
    await expect(collective.allGather(new Uint8Array(0), { maxBytes: MAX_BYTES })).rejects.toMatchObject({
      code: 'PEER_LOST',
    });
  });

  it('rejects arguments that can not work before anything is sent', async () => {
    const { collective } = pair();
    await expect(collective.reduceScatter(new Int32Array(4), [0, 4])).rejects.toMatchObject({
      code: 'COLLECTIVE_MISUSE',
    });
    await expect(collective.reduceScatter(new Int32Array(4), [0, 5, 4])).rejects.toThrow(
      /ascend from 0 to 4/,
    );
    await expect(collective.broadcast(new Uint8Array(0), 2, { maxBytes: MAX_BYTES })).rejects.toMatchObject({
      code: 'COLLECTIVE_MISUSE',
    });
    await expect(collective.exchange([new Uint8Array(0)], { maxBytes: MAX_BYTES })).rejects.toMatchObject({
      code: 'COLLECTIVE_MISUSE',
    });
  });

  it('lets a root that only broadcasts run ahead no further than the next meeting', async () => {
    const clock = new ManualClock();
    const { collectives } = memoryGroup(2, {}, { clock });
    let sent = 0;
    const root = (async () => {
      for (; sent < 600; sent += 1)
        await collectives[0]?.broadcast(Uint8Array.of(sent & 255), 0, { maxBytes: MAX_BYTES });
    })();
    // Everything that can happen before the other member calls has happened when this turn of the event loop comes.
    await new Promise((resolve) => setImmediate(resolve));
    expect(clock.pending).toBeGreaterThan(0);
    expect(sent).toBe(255);
    for (let at = 0; at < 600; at += 1) {
      expect(await collectives[1]?.broadcast(new Uint8Array(0), 0, { maxBytes: MAX_BYTES })).toEqual(
        Uint8Array.of(at & 255),
      );
    }
    await root;
  });

  it('passes streams much larger than the window, with little waiting anywhere', async () => {
    const waiting = new Map<string, number>();
    let most = 0;
    const courier: Courier = (parcel) => {
      const key = `${parcel.from}>${parcel.to}`;
      waiting.set(key, (waiting.get(key) ?? 0) + parcel.message.length);
      most = Math.max(most, waiting.get(key) as number);
      setImmediate(() => {
        waiting.set(key, (waiting.get(key) as number) - parcel.message.length);
        parcel.arrive();
      });
    };
    const { collectives } = memoryGroup(3, { courier });
    const inputs = collectives.map((_, rank) => randomArray('i32', 6_000_000, rank));
    const expected = rankOrderReduction(inputs, 'sum');
    const results = await Promise.all(
      collectives.map((one, rank) => one.allReduce(inputs[rank] as Int32Array)),
    );
    for (const result of results) expectSameBits(result, expected);
    expect(most).toBeLessThan(3 * 1024 * 1024);
  });
});
