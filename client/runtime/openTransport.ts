// How a runtime opens its end of the peer-to-peer network.

import type { CoordinatorMessageOf } from '../../shared/protocol/control.ts';
import type { WorkerTransport } from './workerPlatform.ts';

export interface OpenTransportOptions {
  /** Address of the coordinator, e.g. http://127.0.0.1:7070. */
  readonly origin: string;
  readonly token: string | undefined;
  readonly welcome: CoordinatorMessageOf<'welcome'>;
  readonly signal: AbortSignal;
  log(line: string): void;
}

export type OpenTransport = (options: OpenTransportOptions) => Promise<WorkerTransport>;
