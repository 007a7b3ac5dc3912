// Keeps the messages of a WebSocket within bounds that may change while it is open: how long they may be, how long they may
// take, and what unfinished ones hold. It reads the same bytes as the library does and needs nothing of its insides; the
// library's own limit is fixed when the socket opens, before it is known who is at the other end.

import type { Duplex } from 'node:stream';
import type { Clock } from '../../shared/clock.ts';
import { MessageProgress } from './messageProgress.ts';

export interface MessageBounds {
  readonly clock: Clock;
  /** Longest message that is accepted now, in bytes; 0 accepts none. Asked whenever bytes of one come. */
  readonly maxMessageBytes: () => number;
  /** From the first byte of a message to its last. */
  readonly messageTimeoutMs: () => number;
  /** Told how much memory the unfinished message takes. */
  readonly hold: (bytes: number) => void;
  /**
   * Drops the connection (`terminate()`); called once at most. What was complete in the same packet is still delivered: who
   * receives messages drops those that come when the WebSocket is not open any more.
   */
  readonly cut: (why: string) => void;
}

/** @param stream the connection that was handed to the library, in the same turn. */
export function boundMessages(stream: Duplex, bounds: MessageBounds): void {
  const progress = new MessageProgress();
  let cancelDeadline: (() => void) | undefined;
  let timedMessage = -1;
  const stop = (): void => {
    cancelDeadline?.();
    stream.off('data', take);
  };
  const cut = (why: string): void => {
    stop();
    bounds.cut(why);
  };
  const watchTime = (): void => {
    if (progress.isUnfinished && timedMessage === progress.finishedMessages) return;
    cancelDeadline?.();
    cancelDeadline = undefined;
    if (!progress.isUnfinished) return;
    timedMessage = progress.finishedMessages;
    const timeoutMs = bounds.messageTimeoutMs();
    cancelDeadline = bounds.clock.after(timeoutMs, () =>
      cut(`a message was not complete within ${timeoutMs} ms`),
    );
  };
  const take = (bytes: Uint8Array): void => {
    const longest = progress.take(bytes);
    const most = bounds.maxMessageBytes();
    if (longest > most) return cut(`a message has ${longest} bytes or more, ${most} are accepted`);
    watchTime();
    bounds.hold(progress.heldBytes);
  };
  // Ahead of the library's listener: what is over the bounds is cut before it is kept.
  stream.prependListener('data', take);
  stream.once('close', stop);
}
