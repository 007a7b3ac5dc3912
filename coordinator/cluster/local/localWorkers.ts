// Starts workers on this machine: the embedded pool of a script, and what `tabgrad up --workers N` lends by itself.

import { writeToStderr } from '../../log/textOutput.ts';
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { sandboxPolicy } from './browserSandbox.ts';
import { openLocalBrowser, type LocalBrowser } from './browserWorker.ts';
import type { BrowserOptions } from './launchBrowser.ts';
import { checkLocalWorkersOptions, type LocalWorkersOptions } from './localWorkersOptions.ts';
import type { LocalRuntime, LocalWorker } from '../../options/localWorker.ts';
import { serverKeyPin } from '../remote/serverTrust.ts';
import { startProcessWorker } from './processWorker.ts';
import { extraVariables } from './workerEnvironment.ts';

export type { LocalDevice, LocalRuntime } from '../../options/localWorker.ts';

/** Workers that were started on this machine. */
export interface LocalWorkers {
  readonly workers: readonly LocalWorker[];
  /** Asks all to leave, and waits until they are gone (bounded). Idempotent. */
  stop(): Promise<void>;
}

/**
 * Starts all workers at once; resolves when every one of them has joined.
 * @throws WorkerStartError, BrowserMissingError or BrowserSandboxError for the first that fails; the others are ended before.
 *   LocalWorkersError naming the option.
 */
export async function startLocalWorkers(given: LocalWorkersOptions): Promise<LocalWorkers> {
  const options = checkLocalWorkersOptions(given);
  const asked = typeof options.runtime === 'string' ? [options.runtime] : options.runtime;
  const kinds = Array.from({ length: options.count }, (_, index) => asked[index % asked.length]!);
  const softwareGpu = options.softwareGpu ?? (options.device === 'webgpu' && lacksGpu());
  const extra = extraVariables(options.workerEnv, process.env);
  let browser: Promise<LocalBrowser> | undefined;
  const start = async (kind: LocalRuntime, index: number): Promise<LocalWorker> => {
    const settings = {
      url: options.url,
      token: options.token,
      ca: options.ca,
      device: options.device,
      threads: options.threads ?? threadsEach(options.count),
      softwareGpu,
      allowCode: options.allowCode,
      extraVariables: extra,
      cacheFolder: options.cacheFolder,
      joinTimeoutMs: options.joinTimeoutMs,
      signal: options.signal,
      onLine: options.onLine && ((line: string) => options.onLine?.(`[${kind} ${index}] ${line}`)),
    };
    if (kind !== 'browser') return startProcessWorker(kind, settings);
    browser ??= openTrustingBrowser(options, { softwareGpu, extraVariables: extra });
    return (await browser).openWorker(settings);
  };
  const started = await Promise.allSettled(kinds.map((kind, index) => start(kind, index)));
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

/** Of the machine's cores, for each of so many workers. */
export function threadsEach(workers: number): number {
  return Math.max(1, Math.floor(availableParallelism() / workers));
}

/** A headless browser has no list of authorities that could be added to: it is told the key of the one server. */
async function openTrustingBrowser(
  { url, ca, signal, device, isOwnCoordinator, browserSandbox, onLine, onWarning }: LocalWorkersOptions,
  settings: Pick<BrowserOptions, 'softwareGpu' | 'extraVariables'>,
): Promise<LocalBrowser> {
  const sandbox = sandboxPolicy({ url, isOwnCoordinator, browserSandbox }, process.env);
  const key =
    ca === undefined ? undefined : await serverKeyPin(url, ca, signal ?? new AbortController().signal);
  return openLocalBrowser({
    ...settings,
    device,
    sandbox,
    hasGpu: !lacksGpu(),
    trustedKeys: key === undefined ? [] : [key],
    warn: onWarning ?? ((line) => writeToStderr(`warning: ${line}`)),
    log: (line) => onLine?.(`[browser] ${line}`),
  });
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
