// What the serving process and its acceptors say to each other. Both are of one version and one machine, so that these are
// plain values.

import type { HttpTimeouts, ServerCredentials } from '../../http/httpServer.ts';
import type { AccessEntry } from '../http/serveExchange.ts';
import type { AppCounts } from '../http/serveMetrics.ts';
import type { TreeOptions } from '../replica/predictorOptions.ts';

/** What an acceptor is started with. */
export interface AcceptorSettings {
  /** Where the serving process listens for what acceptors pass on: a path in the file system, or of a pipe. */
  readonly upstreamPath: string;
  readonly timeouts: HttpTimeouts;
  readonly maxConnections: number;
  readonly maxBodyBytes: number;
  readonly apiKey: string | undefined;
  readonly allowedHosts: readonly string[] | undefined;
  readonly logsAccess: boolean;
  readonly tls: ServerCredentials | undefined;
}

/** An application as acceptors know it. */
export interface AcceptedApp {
  readonly name: string;
  readonly routePrefix: string;
  /** Undefined where the serving process has to answer. */
  readonly trees: { readonly modelText: string; readonly options: TreeOptions } | undefined;
}

export type ToAcceptor =
  | { readonly type: 'start'; readonly settings: AcceptorSettings }
  /** In place of those before; the one with the longest prefix first. */
  | { readonly type: 'apps'; readonly change: number; readonly apps: readonly AcceptedApp[] }
  /** With a socket. */
  | { readonly type: 'connection' }
  | { readonly type: 'credentials'; readonly tls: ServerCredentials }
  | { readonly type: 'tell'; readonly change: number }
  /** To pass on all that comes, and tell callers to go. */
  | { readonly type: 'stop' }
  /** To end when all answers are written, or after this time. */
  | { readonly type: 'end'; readonly timeoutMs: number };

export type FromAcceptor =
  | { readonly type: 'ready' }
  /** What an acceptor answered itself, since it told so last. */
  | { readonly type: 'answered'; readonly counts: AppCounts; readonly entries: readonly AccessEntry[] }
  /** All that it was told up to this change is done, and what it answered before is told. */
  | { readonly type: 'done'; readonly change: number };
