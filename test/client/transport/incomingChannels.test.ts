import { beforeEach, expect, it } from 'vitest';
import { IncomingChannels } from '../../../client/transport/incomingChannels.ts';
import type { RawChannel } from '../../../client/transport/peerEndpoint.ts';
import { ManualClock, settled } from '../../setup/manualClock.ts';
import { channelPair } from './fixtures/channelPair.ts';

let clock: ManualClock;
let incoming: IncomingChannels;
/** Why channels were closed, by the name under which they came. */
let closed: Map<string, string>;

beforeEach(() => {
  clock = new ManualClock();
  incoming = new IncomingChannels('host', clock);
  closed = new Map();
});

function enter(name: string, { peerId = 'guest-peer', from = 'guest', group = 'run/1' } = {}): RawChannel {
  const [channel] = channelPair();
  void channel.closed.then((reason) => closed.set(name, reason));
  incoming.enter({ peerId, metadata: { from, to: 'host', group }, channel });
  return channel;
}

const awaitGuest = (peerId = 'guest-peer', workerId = 'guest', group = 'run/1'): RawChannel[] => {
  const accepted: RawChannel[] = [];
  incoming.await({ peerId, workerId, linkKey: '' }, group, (channel) => accepted.push(channel));
  return accepted;
};

it('one dialler has four places, and takes none of others', async () => {
  for (let at = 1; at <= 300; at += 1) enter(`${at}`, { peerId: 'flood-peer', from: `name ${at}` });
  const honest = enter('honest');
  await settled();
  expect([...closed.keys()]).toEqual(Array.from({ length: 296 }, (_, at) => `${at + 5}`));
  expect(new Set(closed.values())).toEqual(new Set(['too many channels of this dialler are waiting']));
  expect(awaitGuest()).toEqual([honest]);
});

it('who comes under the name of another from its own PeerJS id does not stand in the way of that one', async () => {
  enter('thief', { peerId: 'thief-peer' });
  const honest = enter('honest');
  expect(awaitGuest()).toEqual([honest]);
  expect(awaitGuest()).toEqual([]);
  await settled();
  expect([...closed]).toEqual([]);
});

it('a place is free again when the channel is gone, was dialled again, or waited for half a minute', async () => {
  const channels = [1, 2, 3, 4].map((at) => enter(`${at}`, { group: `run/${at}` }));
  channels[0]?.close('gone');
  await settled();
  enter('5', { group: 'run/5' });
  enter('5 again', { group: 'run/5' });
  await settled();
  expect([...closed]).toEqual([
    ['1', 'gone'],
    ['5', 'it was dialled again'],
  ]);
  await clock.advanceSettled(30_000);
  await settled();
  expect([...closed.keys()]).toEqual(['1', '5', '2', '3', '4', '5 again']);
  expect(clock.pending).toBe(0);
});
