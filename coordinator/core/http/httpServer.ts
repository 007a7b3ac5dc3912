// The HTTP server around the route table: limits, security headers, access checks and coded errors, the same for all.

import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerOptions, ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { Server as SecureServer } from 'node:https';
import type { Socket } from 'node:net';
import { readTarget } from '../../http/readTarget.ts';
import type { ShareLimits } from '../../bounds/addressShares.ts';
import type { Log } from '../../log/log.ts';
import { makeId } from '../pool/secrets.ts';
import type { TlsCredentials } from '../tls/tlsCredentials.ts';
import type { AccessControl, Caller } from './access.ts';
import { answerError, securityHeaders } from './answers.ts';
import { limitConnections } from './limitConnections.ts';
import { logFailure, pathOf } from './logFailure.ts';
import { stripPublicPath } from './publicPath.ts';
import { matchRoute } from './route.ts';
import type { Route } from './route.ts';
import { BadRequestError, ListenError, PortInUseError } from '../../http/httpErrors.ts';
import type { TrafficMeter } from './trafficMeter.ts';

export interface HttpServerOptions {
  readonly routes: readonly Route[];
  readonly access: AccessControl;
  readonly meter: TrafficMeter;
  readonly log: Log;
  /** Taken off the paths of requests. */
  readonly publicPath?: string;
  readonly timeouts?: HttpTimeouts | undefined;
  readonly connections?: ShareLimits | undefined;
  /** Addresses whose connections are those of many. */
  readonly standsForMany?: (address: string) => boolean;
  /** With it the server speaks https alone. */
  readonly tls?: TlsCredentials | undefined;
  /** Tells browsers to come by https alone from now on. */
  readonly strictTransport?: boolean;
}

export interface HttpTimeouts {
  /** For all request headers to arrive. */
  readonly headersMs: number;
  /** Without a byte either way. */
  readonly idleMs: number;
}

const DEFAULT_TIMEOUTS: HttpTimeouts = { headersMs: 15_000, idleMs: 60_000 };
/** A month: the name may serve something else one day. */
const STRICT_TRANSPORT = 'max-age=2592000';
/** For a whole request; a large blob over a slow line takes long. */
const REQUEST_TIMEOUT_MS = 30 * 60_000;

export function createHttpServer(options: HttpServerOptions): Server | SecureServer {
  const { headersMs, idleMs } = options.timeouts ?? DEFAULT_TIMEOUTS;
  const limits: ServerOptions = {
    headersTimeout: headersMs,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionsCheckingInterval: Math.min(headersMs, 5_000),
    maxHeaderSize: 16 * 1024,
  };
  const listener = (request: IncomingMessage, response: ServerResponse): void =>
    void answer(request, response, options);
  const server =
    options.tls === undefined
      ? createServer(limits, listener)
      : createSecureServer({ ...limits, ...options.tls, handshakeTimeout: headersMs }, listener);
  limitConnections(server, options.connections, options.standsForMany);
  // Node destroys the socket on a timeout that nobody listens for.
  server.setTimeout(idleMs);
  // The socket that requests come by: over TLS not the one that was accepted.
  const opened = options.tls === undefined ? 'connection' : 'secureConnection';
  server.on(opened, (socket: Socket) => options.meter.assign(socket, 'page'));
  return server;
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { routes, access, meter, log, publicPath = '', strictTransport = false }: HttpServerOptions,
): Promise<void> {
  // A request that is answered may have no socket any more.
  const address = access.addressOf(request);
  const gone = new AbortController();
  response.on('close', () => {
    meter.settle(request.socket);
    gone.abort();
  });
  // Without a listener, a client that breaks off would end the process.
  request.on('error', () => undefined);
  response.on('error', () => undefined);
  for (const [name, value] of Object.entries(securityHeaders)) response.setHeader(name, value);
  if (strictTransport) response.setHeader('Strict-Transport-Security', STRICT_TRANSPORT);
  let caller: Caller = { type: 'anybody' };
  try {
    addressToPath(request);
    access.checkHost(request);
    stripPublicPath(request, publicPath);
    const url = parseUrl(request.url ?? '');
    const { route, params } = matchRoute(routes, request.method ?? '', url.pathname);
    meter.assign(request.socket, route.traffic);
    if (route.access !== 'public') access.checkOrigin(request);
    caller = access.checkToken(request, route.access);
    const workerId = caller.type === 'worker' ? caller.workerId : undefined;
    await route.handle({ request, response, url, params, workerId, signal: gone.signal });
  } catch (error) {
    if (gone.signal.aborted) return;
    const id = makeId();
    logFailure({ log, what: `${request.method} ${pathOf(request)}`, address, id }, error);
    answerError(response, error, id, caller.type === 'owner');
  }
}

/** A target that is a whole address becomes a path, and its host the header's. */
function addressToPath(request: IncomingMessage): void {
  const { host, target } = readTarget(request);
  request.url = target;
  if (request.headers.host !== undefined) request.headers.host = host;
}

function parseUrl(target: string): URL {
  const absolute = `http://coordinator${target}`;
  if (!target.startsWith('/') || !URL.canParse(absolute))
    throw new BadRequestError('The request target is not a path');
  return new URL(absolute);
}

/**
 * Starts listening; resolves with the port.
 * @throws PortInUseError, ListenError
 */
export function listen(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        error.code === 'EADDRINUSE'
          ? new PortInUseError(
              `Port ${port} of ${host} is in use. Stop the other program, or choose another port.`,
            )
          : new ListenError(`Cannot listen on ${host}, port ${port}: ${error.message}`, {}, { cause: error }),
      );
    });
    server.listen(port, host, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address ? address.port : port);
    });
  });
}
