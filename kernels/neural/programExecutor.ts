// What runs a program: on WebGPU, or op by op on the processor. Whatever is asked for is done in the order of asking.

import type { DeviceKind } from '../deviceKinds.ts';
import type { WordArray } from '../gpu/op.ts';
import type { KernelCall } from './kernelCall.ts';

/** How long one dispatch took. */
export interface CallTiming {
  readonly call: KernelCall;
  readonly examples: number;
  readonly startNs: number;
  readonly endNs: number;
}

/** A stretch of a view that is read again and again, with memory of its own for that. */
export interface Readback {
  /** The values after all that was asked for before. */
  take(): Promise<Float32Array<ArrayBuffer>>;
}

export interface ProgramExecutor {
  readonly kind: DeviceKind;
  /** Resolves with the reason when the device is lost. */
  readonly lost: Promise<string>;
  /** Values from element `offset` of a view on. They are copied before this returns. */
  write(view: string, values: WordArray, offset?: number): void;
  setUniform(name: string, values: Readonly<Record<string, number>>): void;
  /** Sets views to zero. */
  clear(views: readonly string[]): void;
  /** Makes calls ready that are not in the program's list. */
  prepare(calls: readonly KernelCall[]): Promise<void>;
  /** The calls of a microbatch of so many examples; on a GPU one submission. */
  run(calls: readonly KernelCall[], examples: number): void;
  /** In elements. */
  read(view: string, offset: number, length: number): Promise<Float32Array<ArrayBuffer>>;
  createReadback(view: string, offset: number, length: number): Readback;
  /** Resolves once little enough is in flight. @throws what went wrong in what was asked for. */
  ready(): Promise<void>;
  /** Of the last runs; empty where the device has no timestamps or they were not asked for. */
  takeTimings(): Promise<readonly CallTiming[]>;
  /** Bytes that the device holds for this program now, and at most held. */
  readonly liveBytes: number;
  readonly peakBytes: number;
  close(): Promise<void>;
}
