// Several processes behind one port. This process takes connections off the port and hands them out in turn, since a system
// that lets processes take them themselves gives most to whoever wakes first; what acceptors do not answer comes back to it
// over a socket of its own.

import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { backoffMs, type Backoff } from '../../../shared/backoff.ts';
import type { Clock } from '../../../shared/clock.ts';
import { listenOn, type HttpServer, type ServerCredentials } from '../../http/httpServer.ts';
import type { Log } from '../../log/log.ts';
import type { AccessEntry } from '../http/serveExchange.ts';
import type { ServeMetrics } from '../http/serveMetrics.ts';
import type { AcceptedApp, AcceptorSettings } from './acceptorMessages.ts';
import { AcceptorProcess } from './acceptorProcess.ts';

export interface AcceptingServerOptions {
  readonly processes: number;
  /** Answers what acceptors pass on. */
  readonly inner: HttpServer;
  readonly settings: Omit<AcceptorSettings, 'upstreamPath'>;
  readonly metrics: ServeMetrics;
  readonly accessLog: ((entry: AccessEntry) => void) | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

const replacements: Backoff = { firstMs: 250, maxMs: 30_000 };
/** For an acceptor to end, beyond what its answers have. */
const END_MS = 2_000;

export class AcceptingServer {
  readonly #options: AcceptingServerOptions;
  readonly #port: Server;
  readonly #acceptors: (AcceptorProcess | undefined)[];
  /** Connections that came while no acceptor was there. */
  #waiting: Socket[] = [];
  #next = 0;
  #failures = 0;
  #apps: readonly AcceptedApp[] = [];
  #tls: ServerCredentials | undefined;
  #folder: string | undefined;
  #upstreamPath = '';
  #isStopping = false;
  #stopTimers = new Set<() => void>();

  constructor(options: AcceptingServerOptions) {
    this.#options = options;
    this.#tls = options.settings.tls;
    this.#acceptors = Array.from({ length: options.processes }, () => undefined);
    this.#port = createServer({ pauseOnConnect: true, noDelay: true }, (socket) => this.#handOut(socket));
  }

  /** Starts the acceptors, then listening. @returns the port. @throws PortInUseError, ListenError, UnavailableError */
  async listen(port: number, host: string): Promise<number> {
    try {
      await this.#openUpstream();
      await listenOn(this.#port, port, host);
      await Promise.all(this.#acceptors.map((_, place) => this.#start(place).ready));
    } catch (error) {
      await this.close();
      throw error;
    }
    return (this.#port.address() as AddressInfo).port;
  }

  /** Resolves when all acceptors answer for these applications and no others. */
  async setApps(apps: readonly AcceptedApp[]): Promise<void> {
    this.#apps = apps;
    await Promise.all(this.#running().map((acceptor) => acceptor.setApps(apps)));
  }

  /** Resolves when all that acceptors have answered is counted here. */
  async recount(): Promise<void> {
    await Promise.all(this.#running().map((acceptor) => acceptor.count()));
  }

  setCredentials(tls: ServerCredentials): void {
    this.#tls = tls;
    for (const acceptor of this.#running()) acceptor.tell({ type: 'credentials', tls });
  }

  /** Takes no new connections; from now on this process answers all requests, and callers are told to go. */
  stop(): void {
    this.#isStopping = true;
    this.#port.close();
    for (const stop of this.#stopTimers) stop();
    for (const socket of this.#waiting) socket.destroy();
    this.#waiting = [];
    for (const acceptor of this.#running()) acceptor.tell({ type: 'stop' });
  }

  /** After `stop`: resolves when all answers are written and the acceptors have ended, or a while after `timeoutMs`. */
  async written(clock: Clock, timeoutMs: number): Promise<void> {
    await Promise.all(
      this.#running().map(async (acceptor) => {
        acceptor.tell({ type: 'end', timeoutMs });
        const stopTimer = clock.after(timeoutMs + END_MS, () => acceptor.kill());
        await acceptor.ended;
        stopTimer();
      }),
    );
  }

  async close(): Promise<void> {
    this.stop();
    const acceptors = this.#running();
    for (const acceptor of acceptors) acceptor.kill();
    await Promise.all(acceptors.map(({ ended }) => ended));
    await this.#options.inner.close();
    if (this.#folder !== undefined) await rm(this.#folder, { recursive: true, force: true });
  }

  /** In a folder that this user alone may enter; pipes of Windows have names of their own. */
  async #openUpstream(): Promise<void> {
    if (process.platform === 'win32') this.#upstreamPath = `\\\\.\\pipe\\tabgrad-serve-${randomUUID()}`;
    else {
      this.#folder = await mkdtemp(join(tmpdir(), 'tabgrad-serve-'));
      this.#upstreamPath = join(this.#folder, 'serve');
    }
    await this.#options.inner.listenAt(this.#upstreamPath);
  }

  #running(): readonly AcceptorProcess[] {
    return this.#acceptors.filter((acceptor) => acceptor !== undefined);
  }

  #start(place: number): AcceptorProcess {
    const { settings, metrics, accessLog } = this.#options;
    const upstreamPath = this.#upstreamPath;
    const acceptor = new AcceptorProcess({ ...settings, tls: this.#tls, upstreamPath }, (answered) => {
      metrics.add(answered.counts);
      for (const entry of answered.entries) accessLog?.(entry);
    });
    this.#acceptors[place] = acceptor;
    void acceptor.setApps(this.#apps);
    void acceptor.ready.then(
      () => {
        this.#failures = 0;
        const waiting = this.#waiting;
        this.#waiting = [];
        for (const socket of waiting) this.#handOut(socket);
      },
      () => undefined,
    );
    void acceptor.ended.then((how) => {
      this.#acceptors[place] = undefined;
      if (!this.#isStopping) this.#replace(place, how);
    });
    return acceptor;
  }

  #replace(place: number, how: string): void {
    const { clock, log } = this.#options;
    log({
      level: 'error',
      message: `serve: a process that takes connections ended (${how}); another is started.`,
    });
    const stop = clock.after(backoffMs(this.#failures++, replacements), () => {
      this.#stopTimers.delete(stop);
      this.#start(place);
    });
    this.#stopTimers.add(stop);
  }

  #handOut(socket: Socket): void {
    for (let tried = 0; tried < this.#acceptors.length; tried++) {
      const acceptor = this.#acceptors[this.#next++ % this.#acceptors.length];
      if (!acceptor?.isReady) continue;
      acceptor.give(socket);
      return;
    }
    const isFull = this.#waiting.length >= this.#options.settings.maxConnections;
    if (this.#isStopping || isFull) socket.destroy();
    else this.#waiting.push(socket);
  }
}
