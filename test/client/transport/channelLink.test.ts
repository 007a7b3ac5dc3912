import { expect, it } from 'vitest';
import { ChannelLink } from '../../../client/transport/channelLink.ts';
import type { RawChannel } from '../../../client/transport/peerEndpoint.ts';
import { ManualClock } from '../../setup/manualClock.ts';

const ALIVE = '{"type":"alive"}';

function linked() {
  const sent: (Uint8Array | string)[] = [];
  const dropped: string[] = [];
  let receive!: (message: Uint8Array | string) => void;
  const channel: RawChannel = {
    opened: Promise.resolve({ maxMessageBytes: 1024, ends: { own: 'a', far: 'b' } }),
    closed: new Promise(() => undefined),
    send: (message) => void sent.push(message),
    room: () => undefined,
    onMessage: (listener) => {
      if (listener) receive = listener;
    },
    close: (reason) => void dropped.push(reason),
  };
  const clock = new ManualClock();
  const link = new ChannelLink(channel, { peer: 'b', path: 'direct', maxMessageBytes: 1024, clock });
  return { link, sent, dropped, clock, hear: (message: Uint8Array | string) => receive(message) };
}

it('a link says that it is alive once a second while nothing else is sent, and not while something is', async () => {
  const { link, sent, clock } = linked();
  clock.advance(999);
  expect(sent).toEqual([]);
  clock.advance(1);
  expect(sent).toEqual([ALIVE]);
  const message = Uint8Array.of(1);
  for (let second = 0; second < 5; second += 1) {
    await link.send(message);
    clock.advance(1000);
  }
  expect(sent).toEqual([ALIVE, message, message, message, message, message]);
  clock.advance(1000);
  expect(sent.at(-1)).toBe(ALIVE);
  expect(link.stats.bytesSent).toBe(5);
});

it('a link takes a sign of life for nothing else', async () => {
  const { link, hear, dropped } = linked();
  const heard: Uint8Array[] = [];
  link.onMessage((message) => heard.push(message));
  hear(ALIVE);
  hear(Uint8Array.of(7));
  expect(heard).toEqual([Uint8Array.of(7)]);
  expect(link.stats.bytesReceived).toBe(1);
  expect(dropped).toEqual([]);
  hear('{"type":"something else"}');
  expect(await link.closed).toContain('no goodbye');
});

it('a link that is closed leaves no timer behind but the one that waits for its goodbye to be read', () => {
  const { link, sent, dropped, clock } = linked();
  link.close('done');
  clock.advance(3000);
  expect(sent).toEqual(['{"type":"bye","reason":"done"}']);
  expect(dropped).toEqual(['done']);
  expect(clock.pending).toBe(0);
});
