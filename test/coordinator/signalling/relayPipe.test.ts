import { EventEmitter } from 'node:events';
import { expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import { RelayPipe } from '../../../coordinator/signalling/relayPipe.ts';

/** As much of a WebSocket as a pipe uses; what is sent stays under way until the test says that it has left. */
class HeldSocket extends EventEmitter {
  readonly OPEN = 1;
  readyState = 1;
  isPaused = false;
  readonly underWay: (() => void)[] = [];
  closedWith: unknown[] = [];

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }

  send(_: Buffer, __: object, left: () => void): void {
    this.underWay.push(left);
  }

  close(...reason: unknown[]): void {
    this.closedWith = reason;
  }
}

const asSocket = (socket: HeldSocket): WebSocket => socket as unknown as WebSocket;

it('a relay pipe stops its writer while 4 MiB wait for the reader, and goes on when 1 MiB is left', () => {
  const [from, to] = [new HeldSocket(), new HeldSocket()];
  let counted = 0;
  void new RelayPipe(asSocket(from), asSocket(to), (bytes) => (counted += bytes));
  const message = Buffer.alloc(256 * 1024);
  let offered = 0;
  while (!from.isPaused) {
    from.emit('message', message, true);
    offered += 1;
    expect(offered).toBeLessThanOrEqual(17);
  }
  expect(offered).toBe(17);
  expect(counted).toBe(17 * message.length);
  for (let left = 16; left > 4; left -= 1) {
    to.underWay.shift()?.();
    expect(from.isPaused).toBe(true);
  }
  to.underWay.shift()?.();
  expect(from.isPaused).toBe(false);
});

it('a relay pipe passes on the reason of the end that closes', async () => {
  const [from, to] = [new HeldSocket(), new HeldSocket()];
  const pipe = new RelayPipe(asSocket(from), asSocket(to), () => undefined);
  from.emit('close', 1000, Buffer.from('done'));
  await pipe.ended;
  expect(to.closedWith.map(String)).toEqual(['1000', 'done']);
});
