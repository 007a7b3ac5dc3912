// Where an owner's programs run: the workers of a coordinator that is up already, or of one that is started for them.

import { MAX_LOCAL_WORKERS, type LocalDevice, type LocalRuntime } from '../options/localWorker.ts';
import { ownerAccess } from './remote/ownerAccess.ts';
import { environmentAuthorities } from './remote/serverTrust.ts';
import { startLocalCoordinator } from './localCoordinator.ts';
import { openRemoteCluster } from './remoteCluster.ts';
import { TrainArgumentError } from '../options/trainArgumentError.ts';
import type { BlobSink } from '../core/blobs/blobStore.ts';
import type { SlotSource } from '../core/programs/programPipe.ts';
import { RemoteSlots } from './remote/remoteSlots.ts';

/** Where programs run: the coordinator that has the workers, and its blobs. */
export interface ProgramCluster {
  readonly slots: SlotSource;
  readonly blobs: BlobSink;
}

export interface ProgramPool extends ProgramCluster {
  /** Rejects when its local workers are gone for good; never resolves. */
  readonly lost: Promise<never>;
  /** Ends what was started for it. Idempotent. */
  close(): Promise<void>;
}

export interface ProgramPoolOptions {
  /** A coordinator that is up already. */
  readonly url?: string | undefined;
  /** Its admin token. */
  readonly token?: string | undefined;
  /** Local workers to start where there is no such coordinator. */
  readonly count: number;
  readonly runtime: LocalRuntime | readonly LocalRuntime[];
  readonly device: LocalDevice;
  readonly signal: AbortSignal;
  readonly onLine?: ((line: string) => void) | undefined;
}

/** @throws TrainArgumentError, CoordinatorUnreachableError, RemoteError, PortInUseError, StorageError */
export async function openProgramPool(options: ProgramPoolOptions): Promise<ProgramPool> {
  const url = options.url ?? process.env['TABGRAD_URL'];
  if (url !== undefined && url !== '') return openRemote(url, options);
  if (options.count > MAX_LOCAL_WORKERS) {
    throw new TrainArgumentError(
      `scalingConfig.numWorkers asks for ${options.count} workers on this machine, expected at most ${MAX_LOCAL_WORKERS}.`,
      { field: 'scalingConfig.numWorkers' },
    );
  }
  const { onLine, count, runtime, device, signal } = options;
  const local = { min: 1, count, runtime, device, signal, onLine };
  const { coordinator, crew, close } = await startLocalCoordinator(local);
  return {
    slots: {
      // All are there first, or the first to join would get every program.
      slot: async (...asked) => {
        await crew.ready;
        return coordinator.slots.slot(...asked);
      },
    },
    blobs: coordinator.blobs,
    lost: Promise.race([crew.lost, rejection(crew.ready)]),
    close,
  };
}

async function openRemote(url: string, { token, signal }: ProgramPoolOptions): Promise<ProgramPool> {
  const access = await ownerAccess(url, token);
  const address = { ...access, ca: await environmentAuthorities(access.url, signal), signal };
  const { blobs } = await openRemoteCluster(address);
  return {
    slots: new RemoteSlots(address),
    blobs,
    lost: new Promise<never>(() => undefined),
    close: () => Promise.resolve(),
  };
}

/** Rejects as `promise` does; never resolves. */
function rejection(promise: Promise<unknown>): Promise<never> {
  return new Promise((_, reject) => void promise.catch(reject));
}
