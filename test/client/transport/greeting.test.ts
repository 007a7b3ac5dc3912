// The greeting against whatever may be at the other end: without the key, between the two, or with words of earlier links.

import { describe, expect, it } from 'vitest';
import { greetAsAcceptor, greetAsDialler, type Greeting } from '../../../client/transport/greeting.ts';
import type { RawChannel } from '../../../client/transport/peerEndpoint.ts';
import { channelPair, type ChannelPairOptions } from './fixtures/channelPair.ts';

const key = 'a key that the two of them have';
const dialler: Greeting = { self: 'w-1', peer: 'w-2', group: 'run/7', key };
const acceptor: Greeting = { self: 'w-2', peer: 'w-1', group: 'run/7', key };

interface Outcome {
  readonly dialler: unknown;
  readonly acceptor: unknown;
}

/** What became of both ends: the size of messages, or the code of the error. An end that fails closes, as links do. */
async function greet(
  [near, far]: [RawChannel, RawChannel],
  changes: { dialler?: Partial<Greeting>; acceptor?: Partial<Greeting> } = {},
): Promise<Outcome> {
  const end = async (channel: RawChannel, greeting: Promise<number>): Promise<unknown> => {
    try {
      return await greeting;
    } catch (error) {
      channel.close(String(error));
      return (error as { code?: string }).code;
    }
  };
  const [atDialler, atAcceptor] = await Promise.all([
    end(near, greetAsDialler(near, { ...dialler, ...changes.dialler })),
    end(far, greetAsAcceptor(far, { ...acceptor, ...changes.acceptor })),
  ]);
  return { dialler: atDialler, acceptor: atAcceptor };
}

/** Greets while somebody between the two changes single fields of what is said. */
function changing(field: string, change: (value: unknown) => unknown, from: 0 | 1): ChannelPairOptions {
  return {
    between: (text, sender) => {
      const said = JSON.parse(text) as Record<string, unknown>;
      return JSON.stringify(
        sender === from && field in said ? { ...said, [field]: change(said[field]) } : said,
      );
    },
  };
}

describe('a greeting', () => {
  it('makes a link between two that have the key, with messages that both take', async () => {
    const pair = channelPair({ maxMessageBytes: [70_000, 65_536.9] });
    expect(await greet(pair)).toEqual({ dialler: 65_536, acceptor: 65_536 });
  });

  it('says no more than frames are long, whatever a channel could carry', async () => {
    const pair = channelPair({ maxMessageBytes: [Infinity, Infinity] });
    expect(await greet(pair)).toEqual({ dialler: 262_144, acceptor: 262_144 });
  });

  it('never says the key, and says the same nonce never twice', async () => {
    const said: string[] = [];
    const between = (text: string): string => {
      said.push(text);
      return text;
    };
    for (let link = 0; link < 20; link += 1) await greet(channelPair({ between }));
    expect(said.join()).not.toContain(key);
    const nonces = said.flatMap((text) => (JSON.parse(text) as { nonce?: string }).nonce ?? []);
    expect([nonces.length, new Set(nonces).size]).toEqual([40, 40]);
  });

  it('refuses at the dialler who answers without the key', async () => {
    expect(await greet(channelPair(), { acceptor: { key: 'another' } })).toEqual({
      dialler: 'PEER_UNPROVEN',
      acceptor: 'PEER_LOST',
    });
  });

  it('refuses at the acceptor who dials without the key', async () => {
    // This dialler takes any answer for proved.
    const [near, far] = channelPair({ between: (text, from) => (from === 1 ? undefined : text) });
    const accepting = greetAsAcceptor(far, acceptor);
    accepting.catch(() => undefined);
    const hello = { type: 'hello', version: 1, from: 'w-1', to: 'w-2', group: 'run/7' };
    near.send(JSON.stringify({ ...hello, nonce: '0'.repeat(32), maxMessageBytes: 65_536 }));
    near.send(JSON.stringify({ type: 'chosen', proof: 'f'.repeat(64) }));
    await expect(accepting).rejects.toMatchObject({ code: 'PEER_UNPROVEN', place: { peer: 'w-1' } });
  });

  it.each([
    ['no proof', undefined],
    ['a proof that is no text', 7],
    ['a proof that is cut short', ''],
  ])('refuses at the acceptor who confirms with %s', async (_, proof) => {
    const said = changing('proof', () => proof, 0);
    expect(await greet(channelPair(said))).toMatchObject({ acceptor: 'PEER_UNPROVEN' });
  });

  it("refuses the acceptor's own proof when it is sent back", async () => {
    let heard = '';
    const pair = channelPair({
      between: (text, from) => {
        const said = JSON.parse(text) as { proof?: string };
        if (from === 1) heard = said.proof ?? '';
        return from === 0 && said.proof !== undefined ? JSON.stringify({ ...said, proof: heard }) : text;
      },
    });
    expect(await greet(pair)).toEqual({ dialler: 262_144, acceptor: 'PEER_UNPROVEN' });
    expect(heard).toMatch(/^[0-9a-f]{64}$/);
  });

  it('refuses who passes everything on between two connections: their certificates are others', async () => {
    const pair = channelPair({
      ends: [
        { own: 'first', far: 'between' },
        { own: 'second', far: 'between' },
      ],
    });
    expect(await greet(pair)).toEqual({ dialler: 'PEER_UNPROVEN', acceptor: 'PEER_LOST' });
  });

  it('refuses who sits on one side of a relay and has a direct connection to the other', async () => {
    const pair = channelPair({
      ends: [
        { own: 'relay', far: 'relay' },
        { own: 'second', far: 'between' },
      ],
    });
    expect(await greet(pair)).toMatchObject({ dialler: 'PEER_UNPROVEN' });
  });

  it('refuses words of an earlier link between the same two', async () => {
    const recorded: string[] = [];
    const record = (text: string, from: 0 | 1): string => {
      if (from === 1) recorded.push(text);
      return text;
    };
    await greet(channelPair({ between: record }));
    const replay = channelPair({ between: (text, from) => (from === 1 ? recorded[0] : text) });
    expect(await greet(replay)).toMatchObject({ dialler: 'PEER_UNPROVEN' });
  });

  it.each([
    ['the size of messages of the acceptor', 'maxMessageBytes', 1, (value: unknown) => Number(value) - 1],
    ['the size of messages of the dialler', 'maxMessageBytes', 0, (value: unknown) => Number(value) - 1],
    ['the nonce of the dialler', 'nonce', 0, () => '0'.repeat(32)],
    ['the nonce of the acceptor', 'nonce', 1, () => '0'.repeat(32)],
  ] as const)('refuses when somebody changed %s', async (_, field, from, change) => {
    expect(await greet(channelPair(changing(field, change, from)))).toMatchObject({
      dialler: 'PEER_UNPROVEN',
    });
  });

  it.each([
    ['another name', { self: 'w-3' }],
    ['another group', { group: 'run/6' }],
    ['who is meant', { peer: 'w-3' }],
  ])('refuses who has the key and says %s', async (_, change) => {
    expect(await greet(channelPair(), { acceptor: change })).toMatchObject({ acceptor: 'PEER_LOST' });
  });

  it.each(['', '0'.repeat(31), 'G'.repeat(32), 7, null])('refuses the nonce %j', async (nonce) => {
    expect(await greet(channelPair(changing('nonce', () => nonce, 0)))).toMatchObject({
      acceptor: 'PEER_LOST',
    });
  });
});
