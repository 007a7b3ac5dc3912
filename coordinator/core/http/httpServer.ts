// The coordinator's side of the HTTP server: its routes, who may use them, headers that keep browsers strict, and what its
// sockets carry.

import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { ShareLimits } from '../../bounds/addressShares.ts';
import { Exchange, type ExchangeContext } from '../../http/exchange.ts';
import { HttpServer, type HttpTimeouts, type ServerCredentials } from '../../http/httpServer.ts';
import { readTarget } from '../../http/readTarget.ts';
import { RouteTable } from '../../http/routeTable.ts';
import type { Log } from '../../log/log.ts';
import { makeId } from '../pool/secrets.ts';
import type { AccessControl } from './access.ts';
import { stripPublicPath } from './publicPath.ts';
import type { Route } from './route.ts';
import type { TrafficMeter } from './trafficMeter.ts';

export interface CoordinatorServerOptions {
  readonly routes: readonly Route[];
  readonly access: AccessControl;
  readonly meter: TrafficMeter;
  readonly log: Log;
  /** Taken off the paths of requests. */
  readonly publicPath?: string;
  readonly timeouts?: Partial<HttpTimeouts> | undefined;
  /** Addresses whose connections are those of many. */
  readonly standsForMany?: (address: string) => boolean;
  /** With it the server speaks https alone. */
  readonly tls?: ServerCredentials | undefined;
  /** Tells browsers to come by https alone from now on. */
  readonly strictTransport?: boolean;
  /** Handshakes of WebSockets. */
  readonly upgrade?: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
}

const DEFAULT_TIMEOUTS: HttpTimeouts = {
  headersMs: 15_000,
  // A large blob over a slow line takes long.
  requestMs: 30 * 60_000,
  idleMs: 60_000,
  keepAliveMs: 5_000,
};
/** For as many workers as a pool takes, with a control socket, signalling, a download and a program each. */
const CONNECTIONS: ShareLimits = { inAll: 16_384, byAddress: 2_048 };
/** On every answer. Pages have their own policy in place of this one. */
const securityHeaders: Readonly<Record<string, string>> = {
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'; sandbox",
};
/** A month: the name may serve something else one day. */
const strictTransportHeader = { 'Strict-Transport-Security': 'max-age=2592000' };

export function createCoordinatorServer(options: CoordinatorServerOptions): HttpServer {
  const { routes, access, meter, log, publicPath = '', strictTransport = false, timeouts } = options;
  const table = new RouteTable(routes);
  const headers = Object.entries({ ...securityHeaders, ...(strictTransport && strictTransportHeader) });
  const context: ExchangeContext = {
    log,
    logPrefix: '',
    serverName: 'The coordinator',
    requestId: makeId,
    addressOf: (request) => access.addressOf(request),
  };
  return new HttpServer({
    ...options,
    timeouts: { ...DEFAULT_TIMEOUTS, ...timeouts },
    connections: CONNECTIONS,
    opened: (socket) => meter.assign(socket, 'page'),
    handle: (request, response) => {
      toOwnPath(request, publicPath);
      const exchange = new Exchange(request, response, context);
      response.on('close', () => meter.settle(request.socket));
      for (const [name, value] of headers) response.setHeader(name, value);
      void answer(exchange, table, options);
    },
  });
}

async function answer(
  exchange: Exchange,
  table: RouteTable<Route>,
  { access, meter }: CoordinatorServerOptions,
): Promise<void> {
  const { request } = exchange;
  try {
    access.checkHost(request);
    const { route, params } = table.match(request.method ?? '', exchange.path);
    meter.assign(request.socket, route.traffic);
    if (route.access !== 'public') access.checkOrigin(request);
    const caller = access.checkToken(request, route.access);
    exchange.isOwner = caller.type === 'owner';
    const workerId = caller.type === 'worker' ? caller.workerId : undefined;
    await route.handle(exchange, { params, workerId });
  } catch (error) {
    if (!exchange.isOver) exchange.fail(error);
    else if (!exchange.signal.aborted) exchange.logFailure(error);
  }
}

/** A target that is a whole address becomes a path, its host the header's; the path is that below the public one. */
function toOwnPath(request: IncomingMessage, publicPath: string): void {
  const { host, target } = readTarget(request);
  request.url = target;
  if (request.headers.host !== undefined) request.headers.host = host;
  stripPublicPath(request, publicPath);
}
