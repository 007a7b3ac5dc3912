// The program of an acceptor: a process that takes connections beside others. Small rows for trees it predicts itself; all
// else, and all that is wrong with a request, it passes on to the serving process, which has the limits, the replicas, the
// counts of wrong keys and the answers to bad input.

import { Agent, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { systemClock } from '../../../shared/clock.ts';
import { HttpServer } from '../../http/httpServer.ts';
import { readBody } from '../../http/readBody.ts';
import type { Body } from '../replica/replica.ts';
import { ServeExchange, type AccessEntry, type ServeContext } from '../http/serveExchange.ts';
import { ServeMetrics } from '../http/serveMetrics.ts';
import { jsonHeaders, requestIds } from '../http/answerForm.ts';
import type { AcceptorSettings, FromAcceptor, ToAcceptor } from './acceptorMessages.ts';
import { passOn, type Upstream } from './passOn.ts';
import { QuickApps, type QuickApp } from './quickApps.ts';

/** Idle connections to the serving process, which keeps them longer. */
const UPSTREAM_IDLE_MS = 60_000;
const TELL_EVERY_MS = 250;
/** Lines of the access log that are told at once. */
const MANY_ENTRIES = 500;

class Acceptor {
  readonly #settings: AcceptorSettings;
  readonly #server: HttpServer;
  readonly #upstream: Upstream;
  readonly #context: ServeContext;
  readonly #metrics = new ServeMetrics();
  readonly #quick: QuickApps;
  #entries: AccessEntry[] = [];

  constructor(settings: AcceptorSettings) {
    const { timeouts, tls, maxConnections, logsAccess, upstreamPath } = settings;
    this.#settings = settings;
    this.#quick = new QuickApps(settings);
    this.#upstream = {
      socketPath: upstreamPath,
      agent: new Agent({ keepAlive: true, timeout: UPSTREAM_IDLE_MS }),
    };
    this.#context = {
      log: () => undefined,
      logPrefix: 'serve: ',
      serverName: 'The server',
      requestId: requestIds(),
      addressOf: ({ socket }) => socket.remoteAddress ?? '',
      metrics: this.#metrics,
      accessLog: logsAccess ? (entry) => this.#log(entry) : undefined,
    };
    this.#server = new HttpServer({
      timeouts,
      connections: { inAll: maxConnections, byAddress: maxConnections },
      tls,
      handle: (request, response) => this.#handle(request, response),
    });
    this.#server.acceptFromElsewhere();
    setInterval(() => this.tell(), TELL_EVERY_MS).unref();
  }

  receive(message: Exclude<ToAcceptor, { type: 'start' }>, socket: Socket | undefined): void {
    if (message.type === 'connection') {
      // Gone on its way here.
      if (socket) this.#server.accept(socket);
    } else if (message.type === 'credentials') this.#server.setCredentials(message.tls);
    else if (message.type === 'apps') {
      this.#quick.set(message.apps);
      this.#done(message.change);
    } else if (message.type === 'tell') this.#done(message.change);
    else if (message.type === 'stop') {
      this.#quick.set([]);
      this.#server.stop();
    } else void this.#end(message.timeoutMs);
  }

  #done(change: number): void {
    this.tell();
    say({ type: 'done', change });
  }

  async #end(timeoutMs: number): Promise<void> {
    await this.#server.written(systemClock, timeoutMs);
    this.tell();
    await this.#server.close();
    process.disconnect?.();
  }

  #handle(request: IncomingMessage, response: ServerResponse): void {
    const exchange = new ServeExchange(request, response, this.#context);
    const app = this.#quick.appOf(exchange);
    if (app === undefined) {
      exchange.handOver();
      passOn(request, response, this.#upstream);
      return;
    }
    exchange.application = app.name;
    const bounds = { maxBodyBytes: this.#settings.maxBodyBytes, hold: (): void => undefined };
    readBody(exchange, bounds, { decoder: undefined, as: 'own bytes' }, (error, body) => {
      if (error) exchange.fail(error);
      else this.#answer(exchange, app, body);
    });
  }

  #answer(exchange: ServeExchange, app: QuickApp, body: Body): void {
    const value = app.answer(body);
    if (value === undefined) {
      exchange.handOver();
      passOn(exchange.request, exchange.response, this.#upstream, body as Uint8Array);
      return;
    }
    exchange.answer(200, jsonHeaders, value);
  }

  #log(entry: AccessEntry): void {
    if (this.#entries.push(entry) >= MANY_ENTRIES) this.tell();
  }

  /** Tells what was answered here since it was told last. */
  tell(): void {
    const counts = this.#metrics.take();
    const entries = this.#entries;
    if (counts.length === 0 && entries.length === 0) return;
    this.#entries = [];
    say({ type: 'answered', counts, entries });
  }
}

function say(message: FromAcceptor): void {
  if (process.connected) process.send!(message);
}

let acceptor: Acceptor | undefined;
process.on('message', (message: ToAcceptor, socket: unknown) => {
  if (message.type === 'start') {
    acceptor = new Acceptor(message.settings);
    say({ type: 'ready' });
  } else acceptor?.receive(message, socket as Socket | undefined);
});
// Without the serving process there is nothing to answer with.
process.on('disconnect', () => process.exit());
// Terminals and service managers send these to all processes at once: the serving process says when to end.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
