// A worker that this machine runs for a coordinator, whatever carries it: a child process or a browser tab.

import type { DeviceWish, Runtime } from '../../shared/protocol/runtimes.ts';
import type { DeviceReport } from '../../shared/protocol/control.ts';

/** Each local worker is a process or a tab; more than this would only get in one another's way. */
export const MAX_LOCAL_WORKERS = 64;

export type LocalRuntime = Runtime;
export type LocalDevice = DeviceWish;

export interface LocalWorker {
  readonly kind: LocalRuntime;
  /** Process id; for a tab, that of its browser. */
  readonly pid: number;
  /** The id under which it joined first. */
  readonly workerId: string;
  readonly device: DeviceReport;
  /** Resolves when it is gone, with why. Never rejects. */
  readonly ended: Promise<string>;
  /** Asks it to hand its rows over and leave; ends it after some seconds. Idempotent. */
  stop(): Promise<void>;
  /** Ends it at once, as a crash would. */
  kill(): Promise<void>;
}

export interface LocalWorkerSettings {
  /** Address of the coordinator, e.g. http://127.0.0.1:7070. */
  readonly url: string;
  readonly token?: string | undefined;
  /** Certificates of authorities to trust besides the usual ones, in PEM. */
  readonly ca?: string | undefined;
  readonly device: LocalDevice;
  /** That it computes with where that is the processor. */
  readonly threads: number;
  readonly name?: string | undefined;
  /** Use SwiftShader, the software Vulkan driver, and no other. For tests, and machines without a GPU. */
  readonly softwareGpu: boolean;
  /** Whether functions of owners may run in it; a tab always runs them, in its sandbox. */
  readonly allowCode: boolean;
  /** Names of variables that it gets besides those that all workers get. */
  readonly extraVariables: readonly string[];
  /** Where a process keeps what it has downloaded and measured for its next run; without it nowhere. A tab's profile goes with its browser. */
  readonly cacheFolder?: string | undefined;
  /** How long it may take to join. */
  readonly joinTimeoutMs: number;
  /** Every line it says, bounded in length. */
  readonly onLine?: ((line: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}
