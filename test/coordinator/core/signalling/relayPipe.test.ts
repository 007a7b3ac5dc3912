import { expect, it } from 'vitest';
import {
  defaultRelayLimits,
  RelayAccount,
  type RelayLimits,
} from '../../../../coordinator/core/signalling/relayAccount.ts';
import { RelayPipe } from '../../../../coordinator/core/signalling/relayPipe.ts';
import { ManualClock } from '../../../setup/manualClock.ts';
import { asSocket, HeldSocket } from './fixtures/heldSocket.ts';

interface PipeSettings {
  readonly onChange?: (bytes: number) => void;
  readonly account?: RelayAccount;
}

const clock = new ManualClock();

const accountWith = (
  limits: Partial<RelayLimits>,
  onChange: (bytes: number) => void = () => undefined,
): RelayAccount => new RelayAccount({ ...defaultRelayLimits, ...limits }, clock.now(), () => true, onChange);

function pipe(
  from: HeldSocket,
  to: HeldSocket,
  { onChange = () => undefined, account = accountWith({}, onChange) }: PipeSettings = {},
): RelayPipe {
  return new RelayPipe(asSocket(from), asSocket(to), account, clock);
}

it('a relay pipe stops its writer while 4 MiB wait for the reader, and goes on when 1 MiB is left', () => {
  const [from, to] = [new HeldSocket(), new HeldSocket()];
  let waiting = 0;
  pipe(from, to, { onChange: (bytes) => (waiting += bytes) });
  const message = Buffer.alloc(256 * 1024);
  let offered = 0;
  while (!from.isPaused) {
    from.emit('message', message, true);
    offered += 1;
    expect(offered).toBeLessThanOrEqual(17);
  }
  expect(offered).toBe(17);
  expect(waiting).toBe(17 * message.length);
  for (let left = 16; left > 4; left -= 1) {
    to.underWay.shift()?.();
    expect(from.isPaused).toBe(true);
  }
  to.underWay.shift()?.();
  expect(from.isPaused).toBe(false);
  expect(waiting).toBe(4 * message.length);
});

it('a relay pipe passes on the reason of the end that closes', () => {
  const [from, to] = [new HeldSocket(), new HeldSocket()];
  pipe(from, to);
  from.emit('close', 1000, Buffer.from('done'));
  expect(to.closedWith.map(String)).toEqual(['1000', 'done']);
});

it('a relay pipe goes on message by message while its worker has used its share up by others', () => {
  const account = accountWith({ waitingBytesPerWorker: 1024 });
  const [stuckFrom, stuckTo, from, to] = [1, 2, 3, 4].map(() => new HeldSocket()) as [
    HeldSocket,
    HeldSocket,
    HeldSocket,
    HeldSocket,
  ];
  pipe(stuckFrom, stuckTo, { account });
  stuckFrom.emit('message', Buffer.alloc(1024), true);
  expect(stuckFrom.isPaused).toBe(true);
  pipe(from, to, { account });
  for (let message = 0; message < 3; message += 1) {
    from.emit('message', Buffer.alloc(100), true);
    expect(from.isPaused).toBe(true);
    to.underWay.shift()?.();
    expect(from.isPaused).toBe(false);
  }
  stuckTo.underWay.shift()?.();
  expect(stuckFrom.isPaused).toBe(false);
});

it.each([
  ['bytes', { byteRate: { perSecond: 1000, burst: 1000 } }],
  ['messages', { messageRate: { perSecond: 1, burst: 1 } }],
])('a relay pipe reads no more %s than a worker may send, over all its pipes', (_, limits) => {
  const account = accountWith(limits);
  const [from, to] = [new HeldSocket(), new HeldSocket()];
  pipe(from, to, { account });
  from.emit('message', Buffer.alloc(1000), true);
  expect(from.isPaused).toBe(false);
  const [otherFrom, otherTo] = [new HeldSocket(), new HeldSocket()];
  pipe(otherFrom, otherTo, { account });
  otherFrom.emit('message', Buffer.alloc(1000), true);
  otherTo.underWay.shift()?.();
  expect(otherFrom.isPaused).toBe(true);
  clock.advance(999);
  expect(otherFrom.isPaused).toBe(true);
  clock.advance(1);
  expect(otherFrom.isPaused).toBe(false);
});
