// The HTTP server of the API and of serving: its limits, its connections and how it ends. What it answers is theirs.

import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { Server as NetServer, type AddressInfo, type ListenOptions, type Socket } from 'node:net';
import { Server as SecureServer } from 'node:tls';
import type { Duplex } from 'node:stream';
import type { Clock } from '../../shared/clock.ts';
import type { ShareLimits } from '../bounds/addressShares.ts';
import { Connections } from './connections.ts';
import { ListenError, PortInUseError } from './httpErrors.ts';
import { limitConnections } from './limitConnections.ts';

export interface HttpTimeouts {
  /** For all request headers to arrive. */
  readonly headersMs: number;
  /** For a whole request to arrive. */
  readonly requestMs: number;
  /** Without a byte either way. */
  readonly idleMs: number;
  /** Between two requests. */
  readonly keepAliveMs: number;
}

/** A certificate with those that lead to its authority, and its key; PEM. */
export interface ServerCredentials {
  readonly cert: string;
  readonly key: string;
}

export interface HttpServerOptions {
  readonly timeouts: HttpTimeouts;
  readonly connections: ShareLimits;
  /** Addresses whose connections are those of many. */
  readonly standsForMany?: (address: string) => boolean;
  /** With it the server speaks https alone. */
  readonly tls?: ServerCredentials | undefined;
  readonly handle: (request: IncomingMessage, response: ServerResponse) => void;
  /** Handshakes of WebSockets; without it they are refused. */
  readonly upgrade?: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
  /** Told of each socket that requests come by: over TLS not the one that was accepted. */
  readonly opened?: (socket: Socket) => void;
}

export class HttpServer {
  readonly #server: Server;
  readonly #connections: Connections;
  readonly #closed: Promise<void>;

  constructor(options: HttpServerOptions) {
    const { timeouts, connections, standsForMany, tls, handle, upgrade, opened } = options;
    const { headersMs, requestMs, idleMs, keepAliveMs } = timeouts;
    const limits: ServerOptions = {
      headersTimeout: headersMs,
      requestTimeout: requestMs,
      connectionsCheckingInterval: Math.min(headersMs, requestMs, 5_000),
      keepAliveTimeout: keepAliveMs,
      maxHeaderSize: 16 * 1024,
      noDelay: true,
    };
    this.#server =
      tls === undefined
        ? createServer(limits)
        : createSecureServer({ ...limits, ...tls, handshakeTimeout: headersMs });
    const server = this.#server;
    limitConnections(server, connections, standsForMany);
    this.#closed = new Promise((resolve) => server.once('close', resolve));
    // Node destroys the socket on a timeout that nobody listens for.
    server.setTimeout(idleMs);
    const openEvent = tls === undefined ? 'connection' : 'secureConnection';
    this.#connections = new Connections(server, openEvent);
    const listener = (request: IncomingMessage, response: ServerResponse): void => {
      this.#connections.add(response);
      handle(request, response);
    };
    server.on('request', listener);
    // A client that asks first need not send what would be refused: who reads the body tells it to go on.
    server.on('checkContinue', listener);
    if (upgrade) server.on('upgrade', upgrade);
    if (opened) server.on(openEvent, opened);
  }

  /** Where it listens. */
  get address(): AddressInfo {
    return this.#server.address() as AddressInfo;
  }

  /**
   * Starts listening; resolves with the port.
   * @throws PortInUseError, ListenError
   */
  async listen(port: number, host: string): Promise<number> {
    await listenOn(this.#server, port, host);
    return this.address.port;
  }

  /** Listens for programs of this machine alone, at a path in the file system or of a pipe. @throws ListenError */
  listenAt(path: string): Promise<void> {
    return listening(this.#server, { path }, path);
  }

  /** In place of `listen`, where another process accepts connections and sends them here. */
  acceptFromElsewhere(): void {
    // Node begins to watch its deadlines when a server listens.
    this.#server.emit('listening');
  }

  accept(socket: Socket): void {
    this.#server.emit('connection', socket);
    socket.resume();
  }

  /** Shows a newer certificate to new connections. */
  setCredentials(tls: ServerCredentials): void {
    if (this.#server instanceof SecureServer) this.#server.setSecureContext(tls);
  }

  /** Takes no new connections, and tells those that are there to go after their answers. */
  stop(): void {
    // The HTTP server's own close() also cuts off answers that are not written out yet: it takes their connections for idle.
    NetServer.prototype.close.call(this.#server);
    this.#connections.stop();
  }

  /** After `stop`: resolves when all answers are written, or after `timeoutMs`. */
  written(clock: Clock, timeoutMs: number): Promise<void> {
    return this.#connections.written(clock, timeoutMs);
  }

  /** Stops listening and cuts off what is still open. */
  close(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    return this.#closed;
  }
}

/** @throws PortInUseError, ListenError */
export function listenOn(server: NetServer, port: number, host: string): Promise<void> {
  return listening(server, { port, host }, `${host}, port ${port}`);
}

function listening(server: NetServer, at: ListenOptions, place: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        error.code === 'EADDRINUSE' && at.port !== undefined
          ? new PortInUseError(
              `Port ${at.port} of ${at.host} is in use. Stop the other program, or choose another port.`,
            )
          : new ListenError(`Cannot listen on ${place}: ${error.message}`, {}, { cause: error }),
      );
    });
    server.listen(at, () => resolve());
  });
}
