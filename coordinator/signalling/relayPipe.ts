// One direction of a relayed link. A reader that is slower than its writer stops the writer's socket, so that the
// coordinator never holds more than a few MiB for it.

import type { RawData, WebSocket } from 'ws';

const HIGH_WATER_BYTES = 4 * 1024 * 1024;
const LOW_WATER_BYTES = 1024 * 1024;

export class RelayPipe {
  /** Resolves when either end is closed. */
  readonly ended: Promise<void>;
  #queuedBytes = 0;

  /** @param count Told the payload bytes of every message passed on. */
  constructor(from: WebSocket, to: WebSocket, count: (bytes: number) => void) {
    from.on('message', (data: RawData, isBinary: boolean) => {
      if (to.readyState !== to.OPEN) return;
      const message = data as Buffer;
      count(message.length);
      this.#queuedBytes += message.length;
      if (this.#queuedBytes > HIGH_WATER_BYTES) from.pause();
      to.send(message, { binary: isBinary }, () => {
        this.#queuedBytes -= message.length;
        if (from.isPaused && this.#queuedBytes <= LOW_WATER_BYTES) from.resume();
      });
    });
    this.ended = new Promise((resolve) => {
      from.once('close', (_code, reason) => {
        to.close(1000, reason.length > 0 ? reason : 'the far side closed it');
        resolve();
      });
    });
  }
}
