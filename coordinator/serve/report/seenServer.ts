// A server with its applications as a coordinator is told of them.

import type { ServingReport } from '../../../shared/api/servingAnswers.ts';
import type { AuthorityCertificate } from '../../core/tls/tlsSource.ts';
import type { ServedApp } from '../deployment/servedApp.ts';
import type { ServeMetrics } from '../http/serveMetrics.ts';
import { servingReport, type ServerFacts } from './servingReport.ts';

export interface SeenServer {
  /** That it listens on. */
  readonly host: string;
  readonly applications: ReadonlyMap<string, ServingReport>;
}

interface ListeningServer {
  readonly serverId: string;
  readonly url: string;
  /** That it got, where it was to take a free one. */
  readonly port: number;
  /** As its owner gave them, with the host that it listens on. */
  readonly options: {
    readonly host?: string | undefined;
    readonly tls?: object | undefined;
    readonly apiKey?: string | undefined;
  };
  readonly authority: AuthorityCertificate | undefined;
  readonly isStopping: boolean;
}

export function seenServer(
  { serverId, url, port, options, authority, isStopping }: ListeningServer,
  apps: ReadonlyMap<string, ServedApp>,
  metrics: ServeMetrics,
): SeenServer {
  const { host = '', tls, apiKey } = options;
  const server: ServerFacts = {
    serverId,
    status: isStopping ? 'stopped' : 'running',
    url,
    port,
    ...(tls && { tls: authority ? { authority: authority.pem } : {} }),
    hasKey: apiKey !== undefined,
  };
  const applications = new Map(
    Array.from(apps, ([name, app]) => [name, servingReport(server, app, metrics)] as const),
  );
  return { host, applications };
}
