// The connections of a server and the answers that each has open: so that callers are told to go before it stops, and that
// what is no HTTP is refused after the requests before it were answered.

import type { Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Clock } from '../../shared/clock.ts';
import { refuseSocket } from './refuseSocket.ts';

interface Connection {
  readonly socket: Duplex;
  readonly open: Set<ServerResponse>;
  idleSinceMs: number;
  isRefused: boolean;
}

/** A connection that was quiet for so long is closed at once when the server stops. */
const QUIET_MS = 1_000;
/** For requests that are on their way when the server stops: they get an answer that closes their connection. */
const GRACE_MS = 100;

export class Connections {
  readonly #bySocket = new Map<Duplex, Connection>();
  #openAnswers = 0;
  #isStopping = false;
  #whenNoneOpen: (() => void) | undefined;

  /** @param opened the event that tells of a connection on which requests come. */
  constructor(server: Server, opened: 'connection' | 'secureConnection') {
    server.on(opened, (socket: Duplex) => {
      this.#bySocket.set(socket, {
        socket,
        open: new Set(),
        idleSinceMs: performance.now(),
        isRefused: false,
      });
      socket.once('close', () => this.#bySocket.delete(socket));
    });
    server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => this.#refuse(error, socket));
  }

  add(response: ServerResponse): void {
    const connection = this.#bySocket.get(response.req.socket);
    if (this.#isStopping) response.shouldKeepAlive = false;
    connection?.open.add(response);
    this.#openAnswers += 1;
    response.once('close', () => {
      this.#openAnswers -= 1;
      if (connection) this.#closed(connection, response);
      if (this.#openAnswers === 0) this.#whenNoneOpen?.();
    });
  }

  /** From now on every answer closes its connection; those that have been quiet for long are closed. */
  stop(): void {
    this.#isStopping = true;
    const now = performance.now();
    for (const { socket, open, idleSinceMs } of this.#bySocket.values()) {
      for (const response of open) response.shouldKeepAlive = false;
      if (open.size === 0 && now - idleSinceMs > QUIET_MS) socket.destroy();
    }
  }

  /**
   * Resolves when all answers are written, or after `timeoutMs`: a caller may read slowly, or not at all. Connections that
   * are still open get a moment longer, for the requests that are on their way.
   */
  async written(clock: Clock, timeoutMs: number): Promise<void> {
    if (this.#bySocket.size > 0) await elapsed(clock, GRACE_MS, () => undefined);
    if (this.#openAnswers > 0) await elapsed(clock, timeoutMs, (resolve) => (this.#whenNoneOpen = resolve));
    this.#whenNoneOpen = undefined;
  }

  #closed(connection: Connection, response: ServerResponse): void {
    connection.open.delete(response);
    connection.idleSinceMs = performance.now();
    // Its head may have been written before the server was told to stop.
    if (this.#isStopping && connection.open.size === 0) connection.socket.end();
  }

  /** Requests that had arrived in whole before what is no HTTP are answered first. */
  #refuse(error: NodeJS.ErrnoException, socket: Duplex): void {
    const connection = this.#bySocket.get(socket);
    if (!connection || error.code === 'ECONNRESET') {
      refuseSocket(error, socket);
      return;
    }
    if (connection.isRefused) return;
    connection.isRefused = true;
    const before = [...connection.open].filter(({ req }) => req.complete);
    let left = before.length;
    if (left === 0) refuseSocket(error, socket);
    for (const response of before) {
      response.once('close', () => {
        if (--left === 0) refuseSocket(error, socket);
      });
    }
  }
}

async function elapsed(clock: Clock, timeoutMs: number, early: (resolve: () => void) => void): Promise<void> {
  let stopTimer = (): void => undefined;
  await new Promise<void>((resolve) => {
    early(resolve);
    stopTimer = clock.after(timeoutMs, resolve);
  });
  stopTimer();
}
