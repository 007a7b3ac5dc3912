// The HTTP side of serving: from a socket to the router of an application, and back.

import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { Log } from '../../log/log.ts';
import type { TlsCredentials } from '../../core/tls/tlsCredentials.ts';
import { BadRequestError, MethodNotAllowedError, NotFoundError } from '../../http/httpErrors.ts';
import { UnavailableError } from '../request/serveErrors.ts';
import { isUtf8Charset, requireUtf8Charset } from '../request/bodyText.ts';
import type { CallerAccess } from './callerAccess.ts';
import type { Connections } from './connections.ts';
import type { ContentCodings } from './contentCodings.ts';
import { Exchange, type ExchangeEnd } from './exchange.ts';
import type { HeldBodies } from './heldBodies.ts';
import type { InferAnswer } from '../request/openInference.ts';
import type { RequestParts } from '../../../shared/serve/serveRequest.ts';
import type { WireAnswer } from '../replica/ownerHttp.ts';
import { logFailure, note, type ExchangeLog } from './exchangeLog.ts';
import { ask, submit } from './submit.ts';
import { receiveBody, type Fail } from './receiveBody.ts';
import { AnswerStream } from '../stream/answerStream.ts';
import type { AppTable, ServedApp } from '../deployment/servedApp.ts';
import {
  answerInference,
  answerPage,
  answerReady,
  checkExpected,
  findModel,
  isOpenPath,
  isServerPath,
  modelTarget,
  type PageContext,
} from './serverPages.ts';
import { kserveModel, type KserveTarget } from './kserveTarget.ts';

export interface ServeServerOptions extends ExchangeLog {
  readonly apps: AppTable;
  readonly access: CallerAccess;
  readonly log: Log;
  readonly hasKey: boolean;
  readonly version: string;
  readonly maxBodyBytes: number;
  readonly bodies: HeldBodies;
  readonly codings: ContentCodings;
  readonly connections: Connections;
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
  const { connections } = options;
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    connections.add(response);
    answer(new Exchange(request, response, newId, ended), options, pages);
  };
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
  connections.watch(server, options.tls === undefined ? 'connection' : 'secureConnection');
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    // A client that asks first need not send what would be refused.
    if (Number(request.headers['content-length'] ?? 0) <= options.maxBodyBytes) response.writeContinue();
    server.emit('request', request, response);
  });
  return server;
}

function answer(exchange: Exchange, options: ServeServerOptions, pages: PageContext): void {
  const fail = (error: unknown): void => {
    if (exchange.isOver) return;
    logFailure(exchange, error, options.log);
    exchange.fail(error);
  };
  try {
    const { request, path } = exchange;
    const predicted = kserveModel(options.apps, path);
    exchange.isInference = path.startsWith('/v2') || predicted !== undefined;
    options.access.checkSource(exchange.host, request.headers);
    options.access.allowReading(request, exchange.response);
    if (request.method === 'OPTIONS' && request.headers['access-control-request-method'] !== undefined) {
      answerPreflight(exchange);
      return;
    }
    if (!isOpenPath(path)) options.access.checkKey(request);
    if (predicted) answerKserve(exchange, predicted, options, fail);
    else if (!isServerPath(path)) answerApp(exchange, options, fail);
    else if (request.method === 'POST' && modelTarget(path)?.action === 'infer')
      infer(exchange, options, fail);
    else answerPage(exchange, pages);
  } catch (error) {
    fail(error);
  }
}

function answerPreflight(exchange: Exchange): void {
  exchange.answer(
    204,
    {
      'access-control-allow-methods': 'GET, POST, PUT, PATCH, DELETE',
      'access-control-allow-headers':
        'authorization, content-type, content-encoding, x-api-key, x-request-id, inference-header-content-length',
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
  requireUtf8Charset(request.headers['content-type']);
  receiveBody(exchange, options, false, fail, (body) =>
    ask(exchange, app, 'http', [body], fail, (value) => exchange.answer(200, jsonHeaders, value as string)),
  );
}

const jsonHeaders = { 'content-type': 'application/json; charset=utf-8' } as const;

function answerClass(exchange: Exchange, app: ServedApp, options: ServeServerOptions, fail: Fail): void {
  const { request, path, search } = exchange;
  const below = app.routePrefix === '/' ? path : path.slice(app.routePrefix.length);
  const contentType = request.headers['content-type'] ?? 'text';
  const isText = /json|text|xml|urlencoded/.test(contentType) && isUtf8Charset(contentType);
  receiveBody(exchange, options, !isText, fail, (body) => {
    // The body is no longer as long, nor as compressed, as it was on its way.
    const { 'content-encoding': coding, 'content-length': _, ...headers } = request.headers;
    const parts: RequestParts = {
      method: request.method ?? '',
      path: below === '' ? '/' : below,
      search,
      headers: { ...(coding === undefined ? request.headers : headers), 'x-request-id': exchange.id },
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

/** KServe's V1 protocol: whether a model is ready, and predictions of `instances`. */
function answerKserve(
  exchange: Exchange,
  { app, action }: KserveTarget,
  options: ServeServerOptions,
  fail: Fail,
): void {
  const { request, path } = exchange;
  const wanted = action === 'predict' ? 'POST' : 'GET';
  if (request.method !== wanted) {
    exchange.response.setHeader('Allow', wanted);
    throw new MethodNotAllowedError(
      `${request.method} is not possible on ${path.slice(0, 200)}, only ${wanted}.`,
    );
  }
  if (action === 'ready') {
    answerReady(exchange, app);
    return;
  }
  exchange.application = app.name;
  requireUtf8Charset(request.headers['content-type']);
  receiveBody(exchange, options, false, fail, (body) =>
    ask(exchange, app, 'predict', [body], fail, (value) =>
      exchange.answer(200, jsonHeaders, value as string),
    ),
  );
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

/** @throws UnavailableError while applications are still to come. */
function unknownPath(path: string, options: ServeServerOptions): Error {
  if (options.isStopping()) return new UnavailableError('The server is stopping.');
  checkExpected(options.apps);
  const prefixes = options.apps.apps.map(({ routePrefix }) => routePrefix).join(', ');
  return new NotFoundError(
    `Nothing is served at ${path.slice(0, 200)}; applications are at ${prefixes || 'no path yet'}.`,
  );
}
