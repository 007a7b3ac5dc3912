// Which workers a machine starts, and the coordinator that they join: one schema for scripts and docs/options.md.

import { z } from 'zod';
import { MAX_THREADS, deviceWishes, runtimes } from '../../../shared/protocol/runtimes.ts';
import { MAX_LOCAL_WORKERS } from '../../options/localWorker.ts';
import { checkOptions } from '../../schema/checkOptions.ts';
import { path, wholeFrom } from '../../schema/optionWords.ts';
import { LocalWorkersError } from './localErrors.ts';

const listener = z
  .custom<(line: string) => void>((value) => typeof value === 'function')
  .meta({ title: 'a function' });

export const localWorkersOptions = z
  .strictObject({
    url: z
      .string()
      .refine((text) => /^https?:/.test(text) && URL.canParse(text), 'must be like http://127.0.0.1:7070')
      .describe('Address of the coordinator, e.g. http://127.0.0.1:7070.'),
    token: z
      .string()
      .optional()
      .describe('By which they join; of a coordinator in this process its tokens.local.'),
    ca: z
      .string()
      .optional()
      .describe('Certificates of authorities to trust besides the usual ones, in PEM.'),
    count: wholeFrom(0, MAX_LOCAL_WORKERS).describe('How many.'),
    runtime: z
      .union([z.enum(runtimes), z.array(z.enum(runtimes)).min(1).max(MAX_LOCAL_WORKERS).readonly()])
      .describe('One runtime for all, or a list that is gone through again and again.'),
    device: z.enum(deviceWishes).describe('What they compute on.'),
    threads: wholeFrom(1, MAX_THREADS)
      .optional()
      .describe(
        'Threads of the processor that each computes with, where that is not the GPU. Without it the cores of the machine, divided among them.',
      ),
    allowCode: z
      .boolean()
      .default(true)
      .describe(
        "Whether functions of owners (trainLoopPerWorker) may run in Node and Deno workers, with the rights of the process. The coordinator is usually the caller's own; say false for one that isn't.",
      ),
    softwareGpu: z
      .boolean()
      .optional()
      .describe(
        'Compute WebGPU on the processor, through SwiftShader. Without it only when WebGPU is asked for by name on a Linux machine that has no GPU.',
      ),
    cacheFolder: path
      .optional()
      .describe(
        'Folder where Node and Deno workers keep downloaded shards and timed tiles for their next run; several may share it. Without it they keep nothing, since the coordinator is next door.',
      ),
    workerEnv: z
      .array(z.string())
      .max(1_000)
      .readonly()
      .optional()
      .describe(
        "Names of variables of this process's environment that workers get besides those that find programs, proxies, certificates and drivers. Without it those of TABGRAD_WORKER_ENV, separated by commas.",
      ),
    browserSandbox: z
      .boolean()
      .optional()
      .describe(
        "false runs browsers without their sandbox, which is refused for a coordinator that is not one's own. Without it: with the sandbox; where this machine does not give it, without it for one's own coordinator, and not at all for another's. TABGRAD_BROWSER_SANDBOX=off says the same.",
      ),
    isOwnCoordinator: z
      .boolean()
      .optional()
      .describe(
        "The coordinator is one's own though its address is not a loopback one. Without it where it is.",
      ),
    joinTimeoutMs: wholeFrom(1).default(60_000).describe('How long each worker may take to join.'),
    onLine: listener
      .optional()
      .describe('What the workers say, line by line, each prefixed with its runtime and number.'),
    onWarning: listener
      .optional()
      .describe('Told of warnings even where onLine is not given. Without it they go to standard error.'),
    signal: z
      .instanceof(AbortSignal)
      .meta({ title: 'an AbortSignal' })
      .optional()
      .describe('Ends the start of workers, and those that run.'),
  })
  .superRefine(({ count, runtime, browserSandbox }, context) => {
    if (browserSandbox === undefined || count === 0) return;
    const kinds = typeof runtime === 'string' ? [runtime] : runtime.slice(0, count);
    if (kinds.includes('browser')) return;
    const message = 'has no effect without a worker in a browser';
    context.addIssue({ code: 'custom', path: ['browserSandbox'], message });
  });

/** Options of startLocalWorkers: which workers it starts, and the coordinator that they join. */
export interface LocalWorkersOptions extends Readonly<z.input<typeof localWorkersOptions>> {}

/** @throws LocalWorkersError naming the option. */
export function checkLocalWorkersOptions(options: LocalWorkersOptions): z.output<typeof localWorkersOptions> {
  return checkOptions(
    localWorkersOptions,
    options,
    (message, place) => new LocalWorkersError(message, place),
  );
}
