// The port of a server: one process that takes connections and answers them, or several.

import { isUnguessable } from '../../core/pool/attemptThrottle.ts';
import type { HttpServer, HttpTimeouts } from '../../http/httpServer.ts';
import type { Clock } from '../../../shared/clock.ts';
import type { AppTable } from '../deployment/servedApp.ts';
import { createServeServer, MAX_CONNECTIONS, type ServeServerOptions } from '../http/serveServer.ts';
import type { ModelDescription } from '../replica/modelDescription.ts';
import { ServeArgumentError } from '../request/serveErrors.ts';
import { AcceptingServer } from './acceptingServer.ts';
import type { AcceptedApp } from './acceptorMessages.ts';
import { takeCaller } from './callerHeader.ts';

export type ServePort = HttpServer | AcceptingServer;

export interface PortOptions {
  readonly processes: number;
  readonly apiKey: string | undefined;
  readonly allowedHosts: readonly string[] | undefined;
  readonly clock: Clock;
}

export function createServePort(server: ServeServerOptions, port: PortOptions): ServePort {
  const { processes, apiKey, allowedHosts, clock } = port;
  if (processes === 1) return createServeServer(server);
  const { timeouts, tls, maxBodyBytes, metrics, accessLog, log } = server;
  const inner = createServeServer({
    ...server,
    tls: undefined,
    addressOf: takeCaller,
    timeouts: innerTimeouts(timeouts),
    recount: () => accepting.recount(),
  });
  const accepting = new AcceptingServer({
    processes,
    inner,
    settings: {
      timeouts,
      maxConnections: Math.ceil(MAX_CONNECTIONS / processes),
      maxBodyBytes,
      apiKey,
      allowedHosts,
      logsAccess: accessLog !== undefined,
      tls,
    },
    metrics,
    accessLog,
    clock,
    log,
  });
  return accepting;
}

/** Tells a port's acceptors what is served; resolves when none answers for what was served before. */
export async function serveAt(port: ServePort | undefined, table: AppTable): Promise<void> {
  if (!(port instanceof AcceptingServer)) return;
  const apps = table.apps.map(({ name, routePrefix, model }): AcceptedApp => ({
    name,
    routePrefix,
    trees: model?.trees,
  }));
  await port.setApps(apps);
}

/** @throws ServeArgumentError where several processes would do nothing but pass on. */
export function checkProcesses(
  { processes, apiKey }: { readonly processes: number; readonly apiKey?: string | undefined },
  model: ModelDescription | undefined,
): void {
  if (processes === 1) return;
  const field = { field: 'processes' };
  if (!model?.trees) {
    throw new ServeArgumentError(
      `processes is ${processes}, which has no effect here: only rows for a model of trees with replicas on threads are predicted where they are read. numReplicas gives other models and classes more threads.`,
      field,
    );
  }
  if (apiKey === undefined || isUnguessable(apiKey)) return;
  throw new ServeArgumentError(
    `processes is ${processes}, which has no effect with a short apiKey: guesses are counted in one process, which then checks every key. Give a key of 20 characters or more.`,
    field,
  );
}

/** Acceptors watch their callers. These are for acceptors, which close idle connections long before. */
function innerTimeouts({ headersMs, requestMs, idleMs }: HttpTimeouts): HttpTimeouts {
  const laterMs = 5_000;
  return {
    headersMs: headersMs + laterMs,
    requestMs: requestMs + laterMs,
    idleMs: idleMs + laterMs,
    keepAliveMs: idleMs,
  };
}
