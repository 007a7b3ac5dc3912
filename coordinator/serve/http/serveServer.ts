// The HTTP side of serving: from a request to the router of an application, and back.

import type { Log } from '../../log/log.ts';
import { isUtf8Charset, requireUtf8 } from '../../http/bodyText.ts';
import type { ContentCodings } from '../../http/contentCodings.ts';
import { BadRequestError, MethodNotAllowedError, NotFoundError } from '../../http/httpErrors.ts';
import { HttpServer, type HttpTimeouts, type ServerCredentials } from '../../http/httpServer.ts';
import { RouteTable } from '../../http/routeTable.ts';
import { UnavailableError } from '../request/serveErrors.ts';
import { jsonHeaders, requestIds } from './answerForm.ts';
import type { CallerAccess } from './callerAccess.ts';
import { ServeExchange, type ServeContext } from './serveExchange.ts';
import type { HeldBodies } from './heldBodies.ts';
import type { InferAnswer } from '../request/openInference.ts';
import type { RequestParts } from '../../../shared/serve/serveRequest.ts';
import type { WireAnswer } from '../replica/ownerHttp.ts';
import { ask, submit } from './submit.ts';
import { receiveBody } from './receiveBody.ts';
import { AnswerStream } from '../stream/answerStream.ts';
import type { ServedApp } from '../deployment/servedApp.ts';
import {
  answerInference,
  answerReady,
  checkExpected,
  isOpenPath,
  isServerPath,
  serverPages,
  type PageContext,
  type PageRoute,
} from './serverPages.ts';
import { kserveModel, type KserveTarget } from './kserveTarget.ts';

export interface ServeServerOptions extends PageContext {
  readonly access: CallerAccess;
  readonly log: Log;
  /** Who asks, where it is not the one who is connected. */
  readonly addressOf?: ServeContext['addressOf'] | undefined;
  readonly accessLog: ServeContext['accessLog'];
  readonly maxBodyBytes: number;
  readonly bodies: HeldBodies;
  readonly codings: ContentCodings;
  readonly timeouts: HttpTimeouts;
  /** With it the server speaks https alone. */
  readonly tls: ServerCredentials | undefined;
}

/** Proxies hold many: there is no limit by address. */
export const MAX_CONNECTIONS = 16_384;

export function createServeServer(options: ServeServerOptions): HttpServer {
  const { timeouts, tls } = options;
  const pages = new RouteTable(serverPages(options, (exchange, app) => infer(exchange, app, options)));
  const context: ServeContext = {
    ...options,
    logPrefix: 'serve: ',
    serverName: 'The server',
    requestId: requestIds(),
    addressOf: options.addressOf ?? (({ socket }) => socket.remoteAddress ?? ''),
  };
  return new HttpServer({
    timeouts,
    connections: { inAll: MAX_CONNECTIONS, byAddress: MAX_CONNECTIONS },
    tls,
    handle: (request, response) => answer(new ServeExchange(request, response, context), options, pages),
  });
}

function answer(exchange: ServeExchange, options: ServeServerOptions, pages: RouteTable<PageRoute>): void {
  try {
    const { request, path } = exchange;
    const predicted = kserveModel(options.apps, path);
    exchange.isInference = path.startsWith('/v2') || predicted !== undefined;
    options.access.checkSource(exchange);
    options.access.allowReading(request, exchange.response);
    if (request.method === 'OPTIONS' && request.headers['access-control-request-method'] !== undefined) {
      answerPreflight(exchange);
      return;
    }
    if (!isOpenPath(path)) options.access.checkKey(exchange);
    if (predicted) answerKserve(exchange, predicted, options);
    else if (!isServerPath(path)) answerApp(exchange, options);
    else {
      const { route, params } = pages.match(request.method ?? '', path);
      route.handle(exchange, params);
    }
  } catch (error) {
    exchange.fail(error);
  }
}

function answerPreflight(exchange: ServeExchange): void {
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

function answerApp(exchange: ServeExchange, options: ServeServerOptions): void {
  const { path, request } = exchange;
  const app = options.apps.byPath(path);
  if (!app) throw unknownPath(path, options);
  exchange.application = app.name;
  if (!app.model) {
    answerClass(exchange, app, options);
    return;
  }
  const rest = path.slice(app.routePrefix.length);
  if (rest !== '' && rest !== '/') throw unknownPath(path, options);
  if (request.method !== 'POST') {
    const hint = ' Rows to predict are POSTed as JSON; /openapi.json describes them.';
    throw new MethodNotAllowedError(request.method ?? '', path, ['POST'], hint);
  }
  requireUtf8(request.headers['content-type']);
  receiveBody(exchange, options, 'own bytes', (body) =>
    ask(exchange, app, 'http', [body], (value) => exchange.answer(200, jsonHeaders, value as string)),
  );
}

function answerClass(exchange: ServeExchange, app: ServedApp, options: ServeServerOptions): void {
  const { request, path, search } = exchange;
  const below = app.routePrefix === '/' ? path : path.slice(app.routePrefix.length);
  const contentType = request.headers['content-type'] ?? 'text';
  const isText = /json|text|xml|urlencoded/.test(contentType) && isUtf8Charset(contentType);
  receiveBody(exchange, options, isText ? 'text' : 'shared bytes', (body) => {
    // The body is no longer as long, nor as compressed, as it was on its way.
    const { 'content-encoding': coding, 'content-length': _, ...headers } = request.headers;
    const parts: RequestParts = {
      method: request.method ?? '',
      path: below === '' ? '/' : below,
      search,
      headers: { ...(coding === undefined ? request.headers : headers), 'x-request-id': exchange.id },
      body,
    };
    submit(exchange, app, 'http', [parts], (value) => {
      if (value instanceof AnswerStream) {
        void exchange.stream(value);
        return;
      }
      const { status, headers, body } = value as WireAnswer;
      exchange.answer(status, headers, body);
    });
  });
}

/** KServe's V1 protocol: whether a model is ready, and predictions of `instances`. */
function answerKserve(
  exchange: ServeExchange,
  { app, action }: KserveTarget,
  options: ServeServerOptions,
): void {
  const { request, path } = exchange;
  const wanted = action === 'predict' ? 'POST' : 'GET';
  if (request.method !== wanted) {
    throw new MethodNotAllowedError(request.method ?? '', path, [wanted]);
  }
  if (action === 'ready') {
    answerReady(exchange, app);
    return;
  }
  exchange.application = app.name;
  requireUtf8(request.headers['content-type']);
  receiveBody(exchange, options, 'own bytes', (body) =>
    ask(exchange, app, 'predict', [body], (value) => exchange.answer(200, jsonHeaders, value as string)),
  );
}

function infer(exchange: ServeExchange, app: ServedApp, options: ServeServerOptions): void {
  exchange.application = app.name;
  const given = exchange.request.headers['inference-header-content-length'];
  const headerBytes = given === undefined ? undefined : Number(given);
  if (headerBytes !== undefined && !(Number.isInteger(headerBytes) && headerBytes >= 0))
    throw new BadRequestError('Inference-Header-Content-Length must be a number of bytes.');
  receiveBody(exchange, options, 'own bytes', (body) =>
    ask(exchange, app, 'infer', [body, headerBytes], (value) =>
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
