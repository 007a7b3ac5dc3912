import { describe, expect, it } from 'vitest';
import { createHash } from 'node:crypto';
import { GatherWitness } from '../../../client/collective/gatherWitness.ts';
import { gatherSum } from '../../../client/collective/gatherSum.ts';
import { DIGEST_CHARACTERS } from '../../../shared/protocol/control.ts';
import { memoryGroup } from './memoryGroup.ts';

const hash = (data: string | Uint8Array): string => createHash('sha256').update(data).digest('hex');
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('What is kept of gathers', () => {
  it('is a chain of hashes for each rank, after the last gather and the one before it', async () => {
    const witness = new GatherWitness(2);
    expect(await witness.heard()).toEqual([]);
    const long = new Uint8Array(5000).fill(3);
    witness.hear([bytes('one'), bytes('')]);
    witness.hear([bytes('two'), long]);
    const chain = (...messages: (string | Uint8Array)[]): string =>
      messages.reduce<string>(
        (before, message) => hash(before + hash(message)).slice(0, DIGEST_CHARACTERS),
        '',
      );
    const earlier = { gathers: 1, digests: chain('one') + chain('') };
    expect(await witness.heard()).toEqual([
      { gathers: 2, digests: chain('one', 'two') + chain('', long) },
      earlier,
    ]);
    const begun = new GatherWitness(2);
    begun.hear([bytes('one'), bytes('')]);
    expect(await begun.heard()).toEqual([earlier]);
  });

  it('is the same at all members of a group; barriers and what is left out count for nothing', async () => {
    const { collectives } = memoryGroup(3);
    const heard = await Promise.all(
      collectives.map(async (collective) => {
        await collective.allGather(bytes(`from ${collective.rank}`), { maxBytes: 6 });
        await collective.barrier();
        await collective.allGather(bytes('large'), { maxBytes: 5, isWitnessed: false });
        return collective.witness.heard();
      }),
    );
    expect(heard[0]).toMatchObject([{ gathers: 1 }]);
    expect(heard[1]).toEqual(heard[0]);
    expect(heard[2]).toEqual(heard[0]);
  });
});

describe('What a peer may send', () => {
  it('has a bound in each call, and a peer that announces more is named', async () => {
    const { collectives } = memoryGroup(2);
    const [honest, liar] = collectives.map((collective) =>
      collective.allGather(new Uint8Array(collective.rank === 1 ? 11 : 10), { maxBytes: 10 }),
    );
    liar!.catch(() => undefined);
    await expect(honest).rejects.toMatchObject({
      code: 'FRAME_INVALID',
      place: { peer: 'worker-1' },
      message: 'Peer worker-1 announces 11 bytes, at most 10 are taken.',
    });
  });
});

describe('A sum over gathered numbers', () => {
  it('is the same bits everywhere, added in rank order', async () => {
    const { collectives } = memoryGroup(3);
    const of = [0.1, 0.2, 0.3];
    const sums = await Promise.all(
      collectives.map((collective, rank) => gatherSum(Float64Array.of(of[rank]!, rank), collective, {})),
    );
    for (const sum of sums) expect([...sum]).toEqual([0.1 + 0.2 + 0.3, 3]);
  });

  it('names who sends another number of values', async () => {
    const { collectives } = memoryGroup(2);
    const [honest, liar] = collectives.map((collective, rank) =>
      gatherSum(new Float64Array(rank === 1 ? 1 : 2), collective, {}),
    );
    liar!.catch(() => undefined);
    await expect(honest).rejects.toMatchObject({ code: 'PEER_MESSAGE_INVALID', peers: ['worker-1'] });
  });
});
