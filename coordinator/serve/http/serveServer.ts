// The HTTP side of serving: from a socket to the router of an application, and back.

import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { Duplex } from 'node:stream';
import type { ErrorCode } from '../../../shared/errors.ts';
import { linger } from '../../http/linger.ts';
import type { Log } from '../../pool/log.ts';
import type { TlsCredentials } from '../../tls/tlsCredentials.ts';
import { BadRequestError, MethodNotAllowedError, NotFoundError } from '../../server/serverErrors.ts';
import { OwnerCodeError, serveStatusOf, UnavailableError } from '../serveErrors.ts';
import type { CallerAccess } from './callerAccess.ts';
import { Exchange, type AccessEntry, type ExchangeEnd } from './exchange.ts';
import type { HeldBodies } from './heldBodies.ts';
import type { Body } from '../replica/replica.ts';
import type { InferAnswer } from './openInference.ts';
import type { RequestParts } from '../../../shared/serve/serveRequest.ts';
import type { WireAnswer } from './ownerHttp.ts';
import { receiveBody, type Fail } from './receiveBody.ts';
import { AnswerStream } from '../stream/answerStream.ts';
import type { AppTable, ServedApp } from './servedApp.ts';
import { isRefusal, logRefusal } from '../../server/logFailure.ts';
import type { ServeMetrics } from './serveMetrics.ts';
import {
  answerInference,
  answerPage,
  findModel,
  isOpenPath,
  isServerPath,
  modelTarget,
  type PageContext,
} from './serverPages.ts';

export interface ServeServerOptions {
  readonly apps: AppTable;
  readonly access: CallerAccess;
  readonly metrics: ServeMetrics;
  readonly log: Log;
  readonly hasKey: boolean;
  readonly version: string;
  readonly accessLog: ((entry: AccessEntry) => void) | undefined;
  readonly maxBodyBytes: number;
  readonly bodies: HeldBodies;
  readonly headersTimeoutMs: number;
  /** For a whole request to arrive. */
  readonly requestTimeoutMs: number;
  readonly idleTimeoutMs: number;
  /** With it the server speaks https alone. */
  readonly tls: TlsCredentials | undefined;
  isStopping(): boolean;
}

/** Proxies hold many: there is no limit by address. */
const MAX_CONNECTIONS = 16_384;

export function createServeServer(options: ServeServerOptions): Server {
  const pages: PageContext = options;
  const prefix = `${process.pid.toString(36)}${Date.now().toString(36)}`;
  let serial = 0;
  const newId = (): string => `${prefix}-${(++serial).toString(36)}`;
  const ended = (end: ExchangeEnd): void => note(end, options);
  const limits: ServerOptions = {
    headersTimeout: options.headersTimeoutMs,
    requestTimeout: options.requestTimeoutMs,
    connectionsCheckingInterval: Math.min(options.headersTimeoutMs, options.requestTimeoutMs, 5_000),
    keepAliveTimeout: 65_000,
    maxHeaderSize: 16 * 1024,
    noDelay: true,
  };
  const listener = (request: IncomingMessage, response: ServerResponse): void =>
    answer(new Exchange(request, response, newId, ended), options, pages);
  const server: Server =
    options.tls === undefined
      ? createServer(limits, listener)
      : createSecureServer(
          { ...limits, ...options.tls, handshakeTimeout: options.headersTimeoutMs },
          listener,
        );
  server.maxConnections = MAX_CONNECTIONS;
  // Node destroys the socket on a timeout that nobody listens for.
  server.setTimeout(options.idleTimeoutMs);
  server.on('clientError', refuseSocket);
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    // A client that asks first need not send what would be refused.
    if (Number(request.headers['content-length'] ?? 0) <= options.maxBodyBytes) response.writeContinue();
    server.emit('request', request, response);
  });
  return server;
}

/** Answers what is not HTTP, or did not arrive in time, and closes. */
function refuseSocket(error: NodeJS.ErrnoException, socket: Duplex): void {
  const [status, code, message] = socketErrors[error.code ?? ''] ?? [
    '400 Bad Request',
    'BAD_REQUEST',
    'The request is not HTTP.',
  ];
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const body = `${JSON.stringify({ error: { code, message } })}\n`;
  const head = `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: ${body.length}`;
  socket.end(`${head}\r\n\r\n${body}`, () => socket.destroy());
}

const socketErrors: Readonly<Record<string, readonly [string, ErrorCode, string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: [
    '408 Request Timeout',
    'REQUEST_TIMEOUT',
    'The request did not arrive in the time that the server allows.',
  ],
  HPE_HEADER_OVERFLOW: [
    '431 Request Header Fields Too Large',
    'BODY_TOO_LARGE',
    'The headers of a request may have 16384 bytes.',
  ],
};

function note(
  { exchange, status }: ExchangeEnd,
  { metrics, accessLog }: Pick<ServeServerOptions, 'metrics' | 'accessLog'>,
): void {
  const durationMs = performance.now() - exchange.startedAtMs;
  if (exchange.application !== '') metrics.count(exchange.application, status, durationMs / 1_000);
  accessLog?.({
    time: new Date().toISOString(),
    requestId: exchange.id,
    method: exchange.request.method ?? '',
    path: exchange.path.slice(0, 500),
    application: exchange.application,
    status,
    durationMs: Math.round(durationMs * 1_000) / 1_000,
    remoteAddress: exchange.request.socket.remoteAddress,
  });
}

function answer(exchange: Exchange, options: ServeServerOptions, pages: PageContext): void {
  const fail = (error: unknown): void => {
    if (exchange.isOver) return;
    logFailure(exchange, error, options.log);
    exchange.fail(error);
  };
  try {
    const { request, path } = exchange;
    exchange.isInference = path.startsWith('/v2');
    options.access.checkSource(request);
    options.access.allowReading(request, exchange.response);
    if (request.method === 'OPTIONS' && request.headers['access-control-request-method'] !== undefined) {
      answerPreflight(exchange);
      return;
    }
    if (!isOpenPath(path)) options.access.checkKey(request);
    if (!isServerPath(path)) answerApp(exchange, options, fail);
    else if (request.method === 'POST' && modelTarget(path)?.action === 'infer')
      infer(exchange, options, fail);
    else answerPage(exchange, pages);
  } catch (error) {
    if (!exchange.request.complete) linger(exchange.request);
    fail(error);
  }
}

/** Who was refused, and what the caller is not told. */
function logFailure({ id, request, path }: Exchange, error: unknown, log: Log): void {
  if (isRefusal(error)) {
    logRefusal(
      log,
      `serve: ${request.method} ${path.slice(0, 200)}`,
      request.socket.remoteAddress ?? '',
      error.message,
    );
    return;
  }
  if (serveStatusOf(error) !== 500) return;
  const cause = error instanceof OwnerCodeError ? (error.cause ?? error) : error;
  const told = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
  log({ level: 'error', kind: 'failed', message: `serve: request ${id} failed: ${told}` });
}

function answerPreflight(exchange: Exchange): void {
  exchange.answer(
    204,
    {
      'access-control-allow-methods': 'GET, POST, PUT, PATCH, DELETE',
      'access-control-allow-headers':
        'authorization, content-type, x-api-key, x-request-id, inference-header-content-length',
      'access-control-max-age': '600',
    },
    '',
  );
}

function answerApp(exchange: Exchange, options: ServeServerOptions, fail: Fail): void {
  const { path, request } = exchange;
  const app = options.apps.byPath(path);
  if (!app) throw unknownPath(path, options);
  exchange.application = app.name;
  if (!app.model) {
    answerClass(exchange, app, options, fail);
    return;
  }
  const rest = path.slice(app.routePrefix.length);
  if (rest !== '' && rest !== '/') throw unknownPath(path, options);
  if (request.method !== 'POST') {
    exchange.response.setHeader('Allow', 'POST');
    throw new MethodNotAllowedError(
      `${request.method} is not possible on ${path.slice(0, 200)}: rows to predict are POSTed as JSON. /openapi.json describes them.`,
    );
  }
  receiveBody(exchange, options, false, fail, (body) =>
    ask(exchange, app, 'http', [body], fail, (value) => exchange.answer(200, jsonHeaders, value as string)),
  );
}

const jsonHeaders = { 'content-type': 'application/json; charset=utf-8' } as const;

function answerClass(exchange: Exchange, app: ServedApp, options: ServeServerOptions, fail: Fail): void {
  const { request, path, search } = exchange;
  const below = app.routePrefix === '/' ? path : path.slice(app.routePrefix.length);
  const isText = /json|text|xml|urlencoded/.test(request.headers['content-type'] ?? 'text');
  receiveBody(exchange, options, !isText, fail, (body) => {
    const parts: RequestParts = {
      method: request.method ?? '',
      path: below === '' ? '/' : below,
      search,
      headers: { ...request.headers, 'x-request-id': exchange.id },
      body,
    };
    submit(exchange, app, 'http', [parts], fail, (value) => {
      if (value instanceof AnswerStream) {
        void answerInPieces(exchange, value, options.log, fail);
        return;
      }
      const { status, headers, body } = value as WireAnswer;
      exchange.answer(status, headers, body);
    });
  });
}

async function answerInPieces(exchange: Exchange, stream: AnswerStream, log: Log, fail: Fail): Promise<void> {
  try {
    await exchange.stream(stream, (error) => logFailure(exchange, error, log));
  } catch (error) {
    // A header that HTTP does not allow.
    void stream.return();
    fail(error);
  }
}

function infer(exchange: Exchange, options: ServeServerOptions, fail: Fail): void {
  const app = findModel(options.apps, modelTarget(exchange.path)!);
  exchange.application = app.name;
  const given = exchange.request.headers['inference-header-content-length'];
  const headerBytes = given === undefined ? undefined : Number(given);
  if (headerBytes !== undefined && !(Number.isInteger(headerBytes) && headerBytes >= 0))
    throw new BadRequestError('Inference-Header-Content-Length must be a number of bytes.');
  receiveBody(exchange, options, headerBytes !== undefined, fail, (body) =>
    ask(exchange, app, 'infer', [body, headerBytes], fail, (value) =>
      answerInference(exchange, app, value as InferAnswer),
    ),
  );
}

/** Asks a model: here where that is quickest, else a replica. */
function ask(
  exchange: Exchange,
  app: ServedApp,
  op: 'http' | 'infer',
  args: readonly [Body, (number | undefined)?],
  fail: Fail,
  answered: (value: unknown) => void,
): void {
  const { small } = app.model!;
  if (!small || args[0].length > small.maxBytes || app.router.isClosed) {
    submit(exchange, app, op, args, fail, answered);
    return;
  }
  try {
    answered(small.run(op, args));
  } catch (error) {
    fail(error);
  }
}

function submit(
  exchange: Exchange,
  app: ServedApp,
  op: 'http' | 'infer',
  args: readonly unknown[],
  fail: Fail,
  answered: (value: unknown) => void,
): void {
  const withdraw = app.router.submit(op, args, (error, value) => {
    exchange.body?.release();
    if (error !== undefined) {
      fail(error);
      return;
    }
    try {
      answered(value);
    } catch (unwritable) {
      // E.g. a header of an owner's answer that HTTP does not allow.
      fail(unwritable);
    }
  });
  exchange.onGone(withdraw);
}

function unknownPath(path: string, options: ServeServerOptions): Error {
  if (options.isStopping()) return new UnavailableError('The server is stopping.');
  const prefixes = options.apps.apps.map(({ routePrefix }) => routePrefix).join(', ');
  return new NotFoundError(
    `Nothing is served at ${path.slice(0, 200)}; applications are at ${prefixes || 'no path yet'}.`,
  );
}
