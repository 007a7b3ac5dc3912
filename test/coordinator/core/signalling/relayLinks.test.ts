// Which relayed links are kept, and what all of them may hold, in the relay's own time.

import { beforeEach, describe, expect, it } from 'vitest';
import {
  defaultRelayLimits,
  type RelayLimits,
} from '../../../../coordinator/core/signalling/relayAccount.ts';
import { RelayLinks } from '../../../../coordinator/core/signalling/relayLinks.ts';
import { ManualClock } from '../../../setup/manualClock.ts';
import { asSocket, HeldSocket } from './fixtures/heldSocket.ts';

let clock: ManualClock;
let links: RelayLinks;
let strangers: Set<string>;

beforeEach(() => {
  clock = new ManualClock();
  strangers = new Set();
  links = makeLinks();
});

function makeLinks(limits: Partial<RelayLimits> = {}): RelayLinks {
  return new RelayLinks(
    { ...defaultRelayLimits, ...limits },
    clock,
    (one, other) => !strangers.has(one) && !strangers.has(other),
  );
}

function connect(one: string, other: string): [HeldSocket, HeldSocket] {
  const sockets = [new HeldSocket(), new HeldSocket()] as [HeldSocket, HeldSocket];
  links.connect(
    { worker: one, socket: asSocket(sockets[0]) },
    { worker: other, socket: asSocket(sockets[1]) },
  );
  return sockets;
}

const reasonOf = (socket: HeldSocket): string => String(socket.closedWith[1]);

describe('relayed links', () => {
  it('are closed when nothing passed for two minutes, and not while anything does', () => {
    const [a, b] = connect('a', 'b');
    for (let at = 0; at < 10; at += 1) {
      clock.advance(60_000);
      b.emit('message', Buffer.from('alive'), false);
      a.underWay.shift()?.();
    }
    expect(links.size).toBe(1);
    clock.advance(119_000);
    expect(links.size).toBe(1);
    clock.advance(16_000);
    expect(links.size).toBe(0);
    expect([a, b].map(reasonOf)).toEqual(Array(2).fill('nothing passed for 120000 ms'));
    expect(clock.pending).toBe(0);
  });

  it('are cut when a reader takes nothing for a minute, however much the other way passes', () => {
    const [a, b] = connect('a', 'b');
    a.emit('message', Buffer.alloc(10), true);
    for (let at = 0; at < 59; at += 1) {
      clock.advance(1_000);
      b.emit('message', Buffer.from('alive'), false);
      a.underWay.shift()?.();
    }
    expect([a.isTerminated, b.isTerminated]).toEqual([false, false]);
    clock.advance(16_000);
    expect([a.isTerminated, b.isTerminated]).toEqual([true, true]);
  });

  it('are closed when their ends share no group any more', () => {
    const [a, b] = connect('a', 'b');
    const [c] = connect('c', 'd');
    strangers.add('a');
    clock.advance(15_000);
    expect([a, b].map(reasonOf)).toEqual(Array(2).fill('the two share no group any more'));
    expect([links.size, c.closedWith]).toEqual([1, []]);
  });

  it('are closed with the worker that is gone', () => {
    const [, b] = connect('a', 'b');
    connect('c', 'd');
    links.drop('a');
    expect(reasonOf(b)).toBe('worker a is gone');
    expect(links.size).toBe(1);
  });

  it('hold a bounded number of bytes together: those are cut that have been stuck for longest', () => {
    links = makeLinks({ waitingBytes: 500 });
    const [stuckA, stuckB] = connect('a', 'b');
    const [slowA, slowB] = connect('c', 'd');
    stuckA.emit('message', Buffer.alloc(400), true);
    clock.advance(10);
    slowA.emit('message', Buffer.alloc(400), true);
    clock.advance(10);
    const [honestA, honestB] = connect('e', 'f');
    honestA.emit('message', Buffer.alloc(200), true);
    expect(links.size).toBe(3);
    honestA.emit('message', Buffer.alloc(1), true);
    expect([stuckA.isTerminated, stuckB.isTerminated, links.size]).toEqual([true, true, 2]);
    // What the cut link held is free: the rest goes on until there is too much again.
    honestA.emit('message', Buffer.alloc(399), true);
    expect(slowA.isTerminated).toBe(false);
    honestB.emit('message', Buffer.alloc(1), true);
    expect([slowB.isTerminated, honestA.isTerminated]).toEqual([true, false]);
  });

  it('go on message by message while all together hold much', () => {
    links = makeLinks({ waitingBytes: 1000 });
    const [stuck] = connect('a', 'b');
    stuck.emit('message', Buffer.alloc(1000), true);
    expect(stuck.isPaused).toBe(true);
    const [honest, reader] = connect('c', 'd');
    for (let message = 0; message < 3; message += 1) {
      honest.emit('message', Buffer.alloc(100), true);
      expect(honest.isPaused).toBe(true);
      reader.underWay.shift()?.();
      expect(honest.isPaused).toBe(false);
    }
  });

  it('are counted as long as an end has not read what the other one left', () => {
    links = makeLinks({ waitingBytes: 500 });
    const [a, b] = connect('a', 'b');
    a.emit('message', Buffer.alloc(900), true);
    a.emit('close', 1000, Buffer.from(''));
    expect([links.size, b.closedWith[0]]).toEqual([0, 1000]);
    const [c] = connect('c', 'd');
    clock.advance(1);
    c.emit('message', Buffer.alloc(101), true);
    expect([b.isTerminated, c.isTerminated]).toEqual([true, false]);
  });

  it('count the bytes that passed', () => {
    const [a, b] = connect('a', 'b');
    a.emit('message', Buffer.alloc(10), true);
    b.emit('message', Buffer.from('text'), false);
    b.underWay.shift()?.();
    expect(links.bytesRelayed).toBe(14);
  });
});
