// A coordinator inside the owner's process with workers on the same machine, started for one piece of work.

import { startCoordinator, type Coordinator } from '../core/server/coordinator.ts';
import type { Log } from '../log/log.ts';
import { startLocalWorkers } from './local/localWorkers.ts';
import type { LocalDevice, LocalRuntime } from '../options/localWorker.ts';
import { LocalWorkerGroup } from './localWorkerGroup.ts';

export interface LocalCoordinatorOptions {
  /** Fewest workers that the work can go on with. */
  readonly min: number;
  /** Workers to start. */
  readonly count: number;
  readonly runtime: LocalRuntime | readonly LocalRuntime[];
  readonly device: LocalDevice;
  readonly signal: AbortSignal;
  readonly onLine?: ((line: string) => void) | undefined;
  /** Of the coordinator; without it warnings and errors go to stderr. */
  readonly log?: Log | undefined;
}

export interface LocalCoordinator {
  readonly coordinator: Coordinator;
  readonly crew: LocalWorkerGroup;
  /** Ends both. Idempotent. */
  readonly close: () => Promise<void>;
}

/** Resolves when the coordinator is up. Workers start meanwhile: `crew.ready`. */
export async function startLocalCoordinator(options: LocalCoordinatorOptions): Promise<LocalCoordinator> {
  const { onLine, log, ...rest } = options;
  const coordinator = await startCoordinator({ port: 0, ...(log && { log }) });
  const crew = new LocalWorkerGroup({
    ...rest,
    url: coordinator.url,
    token: coordinator.tokens.local,
    start: startLocalWorkers,
    ...(onLine && { onLine }),
  });
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    await crew.stop();
    await coordinator.close();
  };
  return { coordinator, crew, close: () => (closing ??= close()) };
}
