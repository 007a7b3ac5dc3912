import { beforeEach, describe, expect, it } from 'vitest';
import { OfferGate } from '../../../client/transport/offerGate.ts';
import { ManualClock } from '../../setup/manualClock.ts';

let clock: ManualClock;
let gate: OfferGate;
/** Names of offers to which a connection was made, and of connections that were dropped again. */
let taken: string[];
let dropped: string[];

beforeEach(() => {
  clock = new ManualClock();
  gate = new OfferGate(clock);
  taken = [];
  dropped = [];
});

interface Attempt {
  readonly negotiation: { close(): void };
}

/** Offers a connection from a peer, for a group, under a name. */
function offer(name: string, peerId = 'peer', group = 'run/1'): Attempt {
  const negotiation = { close: () => void dropped.push(name) };
  gate.enter({
    peerId,
    workerId: `worker of ${peerId}`,
    group,
    take: () => {
      taken.push(name);
      return negotiation;
    },
  });
  return { negotiation };
}

const expectPeer = (peerId = 'peer', group = 'run/1'): (() => void) =>
  gate.expect({ peerId, workerId: `worker of ${peerId}`, group });

describe('the gate for offers', () => {
  it('lets in members of a group that is expected, and makes no connection to anybody else', () => {
    expectPeer();
    offer('of a member');
    offer('of a stranger', 'stranger');
    offer('of a member, for another group', 'peer', 'run/2');
    gate.enter({ peerId: 'peer', workerId: 'another worker', group: 'run/1', take: () => undefined });
    clock.advance(60_000);
    expect(taken).toEqual(['of a member']);
  });

  it('keeps an offer for a moment, for a group that this worker hears of a little later', () => {
    offer('early');
    offer('of another', 'other');
    clock.advance(9_999);
    expectPeer();
    expect(taken).toEqual(['early']);
    clock.advance(1);
    expectPeer('other');
    expect(taken).toEqual(['early']);
  });

  it('keeps the last of offers that a peer repeats, and of two groups at most', () => {
    for (const attempt of [1, 2, 3]) offer(`attempt ${attempt}`);
    offer('next group', 'peer', 'run/2');
    offer('third group', 'peer', 'run/3');
    for (const group of ['run/1', 'run/2', 'run/3']) expectPeer('peer', group);
    expect(taken).toEqual(['next group', 'third group']);
  });

  it('takes no place of one peer for another, however many offers one makes', () => {
    for (let at = 0; at < 10_000; at += 1) offer(`flood ${at}`, 'flood', `run/${at}`);
    offer('honest');
    expectPeer();
    expect(taken).toEqual(['honest']);
    expect(clock.pending).toBeLessThanOrEqual(4);
  });

  it('holds 512 offers of all peers together', () => {
    for (let at = 0; at < 1000; at += 1) offer(`offer ${at}`, `peer ${at}`);
    for (let at = 0; at < 1000; at += 1) expectPeer(`peer ${at}`);
    expect(taken).toEqual(Array.from({ length: 512 }, (_, at) => `offer ${at}`));
  });

  it('has four connections of a peer at a time that lead to nothing, each for half a minute', () => {
    expectPeer();
    expectPeer('other');
    for (let at = 1; at <= 6; at += 1) offer(`${at}`);
    offer('of another', 'other');
    expect(taken).toEqual(['1', '2', '3', '4', 'of another']);
    clock.advance(29_999);
    expect(dropped).toEqual([]);
    clock.advance(1);
    expect(dropped).toEqual(['1', '2', '3', '4', 'of another']);
    offer('7');
    expect(taken).toContain('7');
  });

  it('forgets a connection once it led to a channel or ended', () => {
    expectPeer();
    for (let at = 1; at <= 40; at += 1) gate.settle(offer(`${at}`).negotiation);
    expect(taken).toHaveLength(40);
    clock.advance(60_000);
    expect(dropped).toEqual([]);
  });

  it('drops what is still being negotiated when nobody expects it any more', () => {
    const stops = [expectPeer(), expectPeer()] as const;
    const settled = offer('a link');
    gate.settle(settled.negotiation);
    offer('unfinished');
    stops[0]();
    stops[0]();
    expect(dropped).toEqual([]);
    stops[1]();
    expect(dropped).toEqual(['unfinished']);
    offer('later');
    expect(taken).toEqual(['a link', 'unfinished']);
  });

  it('leaves no timer behind', () => {
    expectPeer();
    offer('open');
    offer('waiting', 'stranger');
    expect(clock.pending).toBe(2);
    gate.close();
    expect(clock.pending).toBe(0);
  });
});
