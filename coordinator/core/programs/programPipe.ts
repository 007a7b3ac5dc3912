// Frames to and from one program, whatever carries them: the worker's socket, or the coordinator's that stands for it.

import type { DeviceKind } from '../../../kernels/deviceKinds.ts';
import type { Runtime } from '../../../shared/protocol/runtimes.ts';

export interface ProgramPipe {
  /** Frames after the end are dropped. @param taken called when the connection has taken it, or never. */
  send(frame: Uint8Array, taken?: () => void): void;
  /** Bytes that `send` took and the other end has not yet. */
  readonly bufferedBytes: number;
  /** Whether frames are read from the connection; while they are not, its other end has to wait. */
  read(isWanted: boolean): void;
  /** Takes over all frames from now on. None is lost before: frames wait for a receiver. */
  onFrame(receive: (frame: Uint8Array) => void): void;
  /** Resolves with the reason when it is over, on either side. Never rejects. */
  readonly closed: Promise<string>;
  close(reason: string): void;
}

/** A worker that was given to a program. */
export interface Slot {
  readonly worker: PlacedWorker;
  readonly pipe: ProgramPipe;
  /** Resolves with the reason when the volunteer wants the worker back: no new calls, and close soon. Never rejects. */
  readonly leaving: Promise<string>;
}

export interface PlacedWorker {
  readonly workerId: string;
  readonly runtime: Runtime;
  readonly device: DeviceKind;
  /** Whether it is the owner's own, which is believed. */
  readonly isOwners: boolean;
  /** Of a stranger: checks of its work that had come out right when it was given. */
  readonly checksPassed: number;
}

/** What a program asks of its worker. */
export interface SlotDemand {
  /** Who asks, for reasons and logs: "mapBatches Classifier". */
  readonly name: string;
  readonly runtime?: PlacedWorker['runtime'] | undefined;
  readonly device?: PlacedWorker['device'] | undefined;
  /** Whether it is the owner's code, which not every worker runs. */
  readonly ownersCode: boolean;
  /** Workers that are not wanted, by id: their answers could not be. */
  readonly excluded?: string[] | undefined;
  /** Workers that are taken only where there is no other. */
  readonly avoided?: string[] | undefined;
}

export interface SlotOptions {
  readonly signal?: AbortSignal | undefined;
  /** Told why there is no worker yet, whenever that changes. */
  readonly onWaiting?: ((reason: string) => void) | undefined;
}

/** Gives workers to programs: a coordinator's pool, in this process or another. */
export interface SlotSource {
  /** Resolves when a worker is there; waits as long as it takes. @throws AbortedError when the signal fires. */
  slot(demand: SlotDemand, options?: SlotOptions): Promise<Slot>;
}
