// Options that all trainers have in common, in Ray's names: one schema for scripts, config files and docs/config.md.

import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import { z } from 'zod';
import { MAX_THREADS, deviceWishes, runtimes } from '../../shared/protocol/runtimes.ts';
import type { ProgressEvent } from '../progress/progressEvent.ts';
import type { Checkpoint } from '../checkpoint/checkpoint.ts';
import { failureConfig, folderName, path, wholeFrom } from '../schema/optionWords.ts';

const runtime = z.enum(runtimes);
const workerCount = wholeFrom(1, 4096);

export const scalingConfig = z
  .strictObject({
    numWorkers: z
      .union([workerCount, z.tuple([workerCount, workerCount]).readonly()])
      .default(1)
      .describe(
        'How many workers train, or [fewest, most]: the run starts with the fewest and takes up to the most.',
      ),
    runtime: z
      .union([runtime, z.array(runtime).min(1).max(64).readonly()])
      .optional()
      .describe(
        'What the local workers run on (node, if nothing is said); a list makes a mixed group. With url: which of its workers take part; any, if nothing is said.',
      ),
    device: z
      .enum(deviceWishes)
      .default('auto')
      .describe('What they compute on; auto takes WebGPU where a real GPU is there.'),
    threads: wholeFrom(1, MAX_THREADS)
      .optional()
      .describe(
        'Threads of the processor that each local worker computes with, where that is not the GPU. Without it the cores of the machine, divided among them. Results do not depend on it.',
      ),
    url: z
      .url({ protocol: /^https?$/, error: 'expected an address like http://127.0.0.1:7070' })
      .optional()
      .describe(
        'A coordinator that is up already, with workers of its own. Without it TABGRAD_URL; without both one is started, with local workers.',
      ),
    token: z
      .string()
      .min(1)
      .optional()
      .describe(
        "That coordinator's admin token. Better in TABGRAD_ADMIN_TOKEN; not needed for one that you started on this machine.",
      ),
  })
  .superRefine(({ numWorkers }, context) => {
    if (typeof numWorkers === 'number' || numWorkers[0] <= numWorkers[1]) return;
    const message = `is [${numWorkers.join(', ')}]; expected the fewest first`;
    context.addIssue({ code: 'custom', path: ['numWorkers'], message });
  })
  .describe('Who does the work.');

export const checkpointConfig = z.strictObject({
  numToKeep: wholeFrom(1)
    .optional()
    .describe('How many checkpoints are kept; all without it. The last one is always among them.'),
  checkpointFrequency: wholeFrom(0)
    .default(0)
    .describe('A checkpoint every so many rounds or steps; 0 writes the last one alone.'),
  scoreAttribute: z
    .string()
    .min(1)
    .optional()
    .describe('Keep the best by this metric, e.g. valid-auc, and not the latest.'),
  scoreOrder: z.enum(['max', 'min']).default('max').describe('Which end of it is best.'),
});

/** What config files have of it. */
export const runFields = {
  name: folderName
    .optional()
    .describe(
      'Name of the run and of its folder. Without it: the name of the config file; of a script: the kind of run and a random suffix.',
    ),
  storagePath: path.default('results').describe('Folder that results are written under.'),
  overwrite: z
    .boolean()
    .default(false)
    .describe(
      'Replace an earlier run or experiment of the name. Without it a folder that holds one is refused.',
    ),
  checkpointConfig: checkpointConfig.prefault({}).describe('Which checkpoints are written and kept.'),
  describeData: z
    .boolean()
    .default(true)
    .describe(
      "Tell the coordinator about the datasets, for its dashboard: columns with ranges, histograms, frequent categories and the first row. false keeps that to yourself where the coordinator is somebody else's.",
    ),
  failureConfig: failureConfig
    .prefault({})
    .describe('What is forgiven. A lost worker is no failure: it is replaced.'),
};

export const runConfig = z.strictObject({
  ...runFields,
  callbacks: z
    .custom<readonly RunCallback[]>(Array.isArray)
    .meta({ title: 'a list of callbacks' })
    .optional()
    .describe('Told of everything that happens.'),
  verbose: z
    .literal([0, 1, 2])
    .optional()
    .describe(
      '0 silent, 1 (without it) warnings on stderr, or the run as it goes on where stdout is a terminal and there are no callbacks, 2 warnings and what local workers say, on stderr.',
    ),
});

/** Options of every trainer, for a script. */
export const trainerFields = {
  scalingConfig: scalingConfig.prefault({}),
  runConfig: runConfig.prefault({}),
};

/** Who does the work, and where. */
export interface ScalingConfig extends Readonly<z.input<typeof scalingConfig>> {}
/** Which checkpoints a run writes and keeps. */
export interface CheckpointConfig extends Readonly<z.input<typeof checkpointConfig>> {}
/** What a run is called, what it leaves and what it tells. */
export interface RunConfig extends Readonly<z.input<typeof runConfig>> {}

/** Told what happens in a run. What a method throws ends the run. */
export interface RunCallback {
  /** Everything that happens, in order; see ProgressEvent. What it throws ends the run, and fit rejects with it. */
  onEvent?(event: ProgressEvent): void;
  /** A checkpoint was written. `metrics` are those of its round or step. */
  onCheckpoint?(checkpoint: Checkpoint, metrics: Readonly<Record<string, number>>): void;
  /** Things that are allowed and probably not meant. */
  onWarning?(message: string): void;
}

/** Where a run happens and what it leaves, with defaults filled in. */
export interface RunSettings {
  readonly workers: { readonly min: number; readonly max: number };
  readonly name: string;
  /** Absolute path of the run's folder. */
  readonly folder: string;
  readonly overwrite: boolean;
  readonly maxFailures: number;
  /** Whether the coordinator is told about the datasets. */
  readonly describesData: boolean;
  readonly checkpoints: Readonly<z.output<typeof checkpointConfig>>;
}

/** @param kind begins the name of a run that has none. */
export function runSettings(
  checked: {
    readonly scalingConfig: z.output<typeof scalingConfig>;
    readonly runConfig: z.output<typeof runConfig>;
  },
  kind: string,
): RunSettings {
  const {
    checkpointConfig: checkpoints,
    failureConfig: failures,
    storagePath,
    overwrite,
    describeData: describesData,
  } = checked.runConfig;
  const { name = `${kind}-${randomUUID().slice(0, 8)}` } = checked.runConfig;
  const { numWorkers } = checked.scalingConfig;
  const [min, max] = typeof numWorkers === 'number' ? [numWorkers, numWorkers] : numWorkers;
  return {
    workers: { min, max },
    name,
    folder: resolve(storagePath, name),
    overwrite,
    maxFailures: failures.maxFailures,
    describesData,
    checkpoints,
  };
}
