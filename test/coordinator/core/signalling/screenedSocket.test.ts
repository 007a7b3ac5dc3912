import { EventEmitter } from 'node:events';
import { beforeEach, describe, expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import {
  ScreenedSocket,
  SignallingAllowance,
} from '../../../../coordinator/core/signalling/screenedSocket.ts';
import { ManualClock } from '../../../setup/manualClock.ts';

/** As much of a WebSocket as is used; nothing that is sent leaves it. */
class StuckSocket extends EventEmitter {
  bufferedAmount = 0;
  isPaused = false;
  readonly sent: string[] = [];
  readonly ends: string[] = [];

  send(text: string): void {
    this.sent.push(text);
    this.bufferedAmount += text.length;
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }

  close(): void {
    this.ends.push('closed');
  }

  terminate(): void {
    this.ends.push('terminated');
  }

  say(text: string): void {
    this.emit('message', Buffer.from(text), false);
  }
}

const HEARTBEAT = '{"type":"HEARTBEAT"}';
let clock: ManualClock;
let allowance: SignallingAllowance;
let gone: number;

beforeEach(() => {
  clock = new ManualClock();
  allowance = new SignallingAllowance(clock.now());
  gone = 0;
});

function screened(): { socket: StuckSocket; screened: ScreenedSocket; passed: string[] } {
  const socket = new StuckSocket();
  const passed: string[] = [];
  const screened = new ScreenedSocket(socket as unknown as WebSocket, {
    allowance,
    clock,
    admit: () => true,
    onGone: () => (gone += 1),
  });
  screened.on('message', (text: string) => passed.push(text));
  return { socket, screened, passed };
}

describe('a screened socket', () => {
  it('is read again when what was said too much is made up for, and loses nothing', () => {
    const { socket, passed } = screened();
    for (let at = 0; at < 5_000; at += 1) socket.say(HEARTBEAT);
    expect(socket.isPaused).toBe(false);
    // The network delivers what it had read already.
    for (let at = 0; at < 100; at += 1) socket.say(HEARTBEAT);
    expect(socket.isPaused).toBe(true);
    clock.advance(499);
    expect(socket.isPaused).toBe(true);
    clock.advance(1);
    expect(socket.isPaused).toBe(false);
    expect(passed).toHaveLength(5_100);
  });

  it('is paused for bytes as for messages', () => {
    const { socket } = screened();
    const mebibyte = 1024 * 1024;
    for (let at = 0; at < 8; at += 1) socket.say(HEARTBEAT.padEnd(mebibyte));
    expect(socket.isPaused).toBe(false);
    socket.say(HEARTBEAT.padEnd(mebibyte));
    clock.advance(3_999);
    expect(socket.isPaused).toBe(true);
    clock.advance(1);
    expect(socket.isPaused).toBe(false);
  });

  it('starts with what its worker has left, not with a new allowance', () => {
    const former = screened();
    for (let at = 0; at < 5_000; at += 1) former.socket.say(HEARTBEAT);
    former.screened.close();
    const latter = screened();
    latter.socket.say(HEARTBEAT);
    expect(latter.socket.isPaused).toBe(true);
  });

  it('is dropped when half a MiB is unread', () => {
    const { socket, screened: receiver } = screened();
    receiver.send('x'.repeat(512 * 1024));
    expect([gone, socket.ends]).toEqual([0, []]);
    receiver.send('x');
    expect([gone, socket.ends]).toEqual([1, ['terminated']]);
  });

  it('hears nothing more once it is given up, and says once that it is', () => {
    const { socket, screened: screen, passed } = screened();
    for (let at = 0; at < 5_001; at += 1) socket.say(HEARTBEAT);
    screen.close();
    expect(socket.isPaused).toBe(false);
    socket.say(HEARTBEAT);
    let closed = 0;
    screen.on('close', () => (closed += 1));
    socket.emit('close');
    expect([passed.length, gone, closed, clock.pending]).toEqual([5_001, 1, 1, 0]);
  });
});
