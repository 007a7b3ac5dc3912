// Starts workers on this machine: the embedded pool of a script, and what `tabgrad up --workers N` lends by itself.

import { runtimes } from '../../../shared/protocol/runtimes.ts';
import { writeToStderr } from '../../log/textOutput.ts';
import { readdirSync } from 'node:fs';
import { sandboxPolicy } from './browserSandbox.ts';
import { openLocalBrowser, type LocalBrowser } from './browserWorker.ts';
import type { BrowserOptions } from './launchBrowser.ts';
import { LocalWorkersError } from './localErrors.ts';
import { type LocalDevice, type LocalRuntime, type LocalWorker } from '../../options/localWorker.ts';
import { serverKeyPin } from '../remote/serverTrust.ts';
import { startProcessWorker } from './processWorker.ts';
import { extraVariables } from './workerEnvironment.ts';

export type { LocalDevice, LocalRuntime } from '../../options/localWorker.ts';

/** Which workers `startLocalWorkers` starts, and the coordinator that they join. */
export interface LocalWorkersOptions {
  /** Address of the coordinator, e.g. http://127.0.0.1:7070. */
  readonly url: string;
  /** By which they join; of a coordinator in this process its `tokens.local`. */
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
  /**
   * Names of variables of this process's environment that workers get besides those that find programs, proxies,
   * certificates and drivers. Default: those of TABGRAD_WORKER_ENV, separated by commas.
   */
  readonly workerEnv?: readonly string[];
  /**
   * false runs browsers without their sandbox, which is refused for a coordinator that is not one's own. Default: with it;
   * where this machine does not give it, without it for one's own coordinator, and not at all for another's.
   * TABGRAD_BROWSER_SANDBOX=off says the same.
   */
  readonly browserSandbox?: boolean;
  /** The coordinator is one's own though its address is not a loopback one. Default: where it is. */
  readonly isOwnCoordinator?: boolean;
  /** How long each worker may take to join. Default one minute. */
  readonly joinTimeoutMs?: number;
  /** What the workers say, line by line, each prefixed with its runtime and number. */
  readonly onLine?: (line: string) => void;
  /** What should be heard even where nobody listens to the workers. Default: a line on standard error. */
  readonly onWarning?: (line: string) => void;
  readonly signal?: AbortSignal;
}

/** Workers that were started on this machine. */
export interface LocalWorkers {
  readonly workers: readonly LocalWorker[];
  /** Asks all to leave, and waits until they are gone (bounded). Idempotent. */
  stop(): Promise<void>;
}

const JOIN_TIMEOUT_MS = 60_000;

/**
 * Starts all workers at once; resolves when every one of them has joined.
 * @throws WorkerStartError, BrowserMissingError or BrowserSandboxError for the first that fails; the others are ended before.
 *   LocalWorkersError for an option.
 */
export async function startLocalWorkers(options: LocalWorkersOptions): Promise<LocalWorkers> {
  const asked = Array.isArray(options.runtime) ? options.runtime : [options.runtime];
  for (const runtime of asked) {
    if (runtimes.includes(runtime as LocalRuntime)) continue;
    throw new LocalWorkersError(
      `runtime is ${JSON.stringify(runtime)}; expected one of ${runtimes.join(', ')}.`,
      { field: 'runtime' },
    );
  }
  const kinds = Array.from({ length: options.count }, (_, index) => asked[index % asked.length]);
  if (options.browserSandbox !== undefined && options.count > 0 && !kinds.includes('browser')) {
    throw new LocalWorkersError('browserSandbox has no effect without a worker in a browser.', {
      field: 'browserSandbox',
    });
  }
  const softwareGpu = options.softwareGpu ?? (options.device === 'webgpu' && lacksGpu());
  const extra = extraVariables(options.workerEnv, process.env);
  let browser: Promise<LocalBrowser> | undefined;
  const start = async (kind: LocalRuntime, index: number): Promise<LocalWorker> => {
    const settings = {
      url: options.url,
      token: options.token,
      ca: options.ca,
      device: options.device,
      softwareGpu,
      allowCode: options.allowCode ?? true,
      extraVariables: extra,
      cacheFolder: options.cacheFolder,
      joinTimeoutMs: options.joinTimeoutMs ?? JOIN_TIMEOUT_MS,
      signal: options.signal,
      onLine: options.onLine && ((line: string) => options.onLine?.(`[${kind} ${index}] ${line}`)),
    };
    if (kind !== 'browser') return startProcessWorker(kind, settings);
    browser ??= openTrustingBrowser(options, { softwareGpu, extraVariables: extra });
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
