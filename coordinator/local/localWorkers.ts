// Starts workers on this machine: the embedded pool of a script, and what `tabgrad up --workers N` lends by itself.

import { readdirSync } from 'node:fs';
import { openLocalBrowser, type LocalBrowser } from './browserWorker.ts';
import type { LocalDevice, LocalRuntime, LocalWorker } from './localWorker.ts';
import { serverKeyPin } from '../remote/serverTrust.ts';
import { startProcessWorker } from './processWorker.ts';

export type { LocalDevice, LocalRuntime } from './localWorker.ts';

export interface LocalWorkersOptions {
  /** Address of the coordinator, e.g. http://127.0.0.1:7070. */
  readonly url: string;
  readonly token?: string;
  /** Certificates of authorities to trust besides the usual ones, in PEM. */
  readonly ca?: string;
  readonly count: number;
  /** One runtime for all, or a list that is gone through again and again. */
  readonly runtime: LocalRuntime | readonly LocalRuntime[];
  readonly device: LocalDevice;
  /**
   * Whether functions of owners (trainLoopPerWorker) may run in Node and Deno workers, with the rights of the process.
   * Default true, since the coordinator is the caller's own; say false for one that isn't.
   */
  readonly allowCode?: boolean;
  /**
   * Compute WebGPU on the processor, through SwiftShader. Default: only when WebGPU is asked for by name on a Linux
   * machine that has no GPU.
   */
  readonly softwareGpu?: boolean;
  /**
   * Folder where Node and Deno workers keep downloaded shards and timed tiles for their next run; several may share it. Default: they
   * keep nothing, since the coordinator is next door.
   */
  readonly cacheFolder?: string;
  /** How long each worker may take to join. Default one minute. */
  readonly joinTimeoutMs?: number;
  /** What the workers say, line by line, each prefixed with its runtime and number. */
  readonly onLine?: (line: string) => void;
  readonly signal?: AbortSignal;
}

export interface LocalWorkers {
  readonly workers: readonly LocalWorker[];
  /** Asks all to leave, and waits until they are gone (bounded). Idempotent. */
  stop(): Promise<void>;
}

const JOIN_TIMEOUT_MS = 60_000;

/**
 * Starts all workers at once; resolves when every one of them has joined.
 * @throws WorkerStartError or BrowserMissingError for the first that fails; the others are ended before.
 */
export async function startLocalWorkers(options: LocalWorkersOptions): Promise<LocalWorkers> {
  const runtimes = Array.isArray(options.runtime) ? options.runtime : [options.runtime];
  const kinds = Array.from({ length: options.count }, (_, index) => runtimes[index % runtimes.length]);
  const softwareGpu = options.softwareGpu ?? (options.device === 'webgpu' && lacksGpu());
  let browser: Promise<LocalBrowser> | undefined;
  const start = async (kind: LocalRuntime, index: number): Promise<LocalWorker> => {
    const settings = {
      url: options.url,
      token: options.token,
      ca: options.ca,
      device: options.device,
      softwareGpu,
      allowCode: options.allowCode ?? true,
      cacheFolder: options.cacheFolder,
      joinTimeoutMs: options.joinTimeoutMs ?? JOIN_TIMEOUT_MS,
      signal: options.signal,
      onLine: options.onLine && ((line: string) => options.onLine?.(`[${kind} ${index}] ${line}`)),
    };
    if (kind !== 'browser') return startProcessWorker(kind, settings);
    browser ??= openTrustingBrowser(options, softwareGpu);
    return (await browser).openWorker(settings);
  };
  const started = await Promise.allSettled(kinds.map((kind, index) => start(kind as LocalRuntime, index)));
  const workers = started.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const closeBrowser = async (): Promise<void> => (await browser?.catch(() => undefined))?.close();
  const failed = started.find((result) => result.status === 'rejected');
  if (failed) {
    await Promise.all(workers.map((worker) => worker.kill()));
    await closeBrowser();
    throw failed.reason;
  }
  let stopping: Promise<void> | undefined;
  return {
    workers,
    stop: () => (stopping ??= Promise.all(workers.map((worker) => worker.stop())).then(closeBrowser)),
  };
}

/** A headless browser has no list of authorities that could be added to: it is told the key of the one server. */
async function openTrustingBrowser(
  { url, ca, signal }: LocalWorkersOptions,
  softwareGpu: boolean,
): Promise<LocalBrowser> {
  if (ca === undefined) return openLocalBrowser({ softwareGpu });
  const key = await serverKeyPin(url, ca, signal ?? new AbortController().signal);
  return openLocalBrowser({ softwareGpu, trustedKeys: [key] });
}

/** True on a Linux machine without any device that a Vulkan driver could use. */
function lacksGpu(): boolean {
  if (process.platform !== 'linux') return false;
  const has = (folder: string, pattern: RegExp): boolean => {
    try {
      return readdirSync(folder).some((name) => pattern.test(name));
    } catch {
      return false;
    }
  };
  return !has('/dev/dri', /^renderD/) && !has('/dev', /^nvidia\d/);
}
