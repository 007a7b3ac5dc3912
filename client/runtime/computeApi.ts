// What the page asks of its compute worker, over Comlink. The worker lives in a thread of its own: a page in the
// background has its timers slowed down, a dedicated worker has not.

import type { DeviceWish } from '../../shared/protocol/runtimes.ts';
import type { Identity } from '../control/controlClient.ts';
import type { HeldRows } from './heldRows.ts';
import type { WorkerEnd, WorkerStatus } from './workerStatus.ts';

export interface ComputeStart {
  readonly url: string;
  readonly token: string | undefined;
  readonly name: string | undefined;
  readonly device: DeviceWish;
  /** That compute where that is the processor; without it as many as the machine has cores. */
  readonly threads: number | undefined;
  /** Share of the device's time that is lent, in (0, 1]. */
  readonly share: number;
  /** The worker that this tab was before it was loaded anew. */
  readonly identity: Identity | undefined;
}

/** What the compute thread tells of itself. */
export interface ComputeStatus extends WorkerStatus {
  /** Bytes of shards, specs and trees that came from the coordinator; what the cache held does not count. */
  readonly downloadedBytes: number;
}

export interface ComputeApi {
  /**
   * Joins, and resolves when this worker's life is over.
   * @param signalling leads to the page's PeerJS (servePeerEndpoint); undefined where the browser has no WebRTC.
   * @param onIdentity told who this worker is, once it has joined.
   */
  run(
    start: ComputeStart,
    signalling: MessagePort | undefined,
    onStatus: (status: ComputeStatus) => void,
    onIdentity: (identity: Identity) => void,
  ): Promise<WorkerEnd>;
  pause(): void;
  resume(): void;
  leave(reason: string): void;
  lendShare(share: number): void;
  retryNow(): void;
  /** Rows of an owner that are here for a run; rejects where they can't be had any more. */
  heldRows(): Promise<HeldRows | undefined>;
}
