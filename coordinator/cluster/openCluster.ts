// Chooses where an owner's work happens: scalingConfig.url, TABGRAD_URL, or a coordinator in this process.

import type { Log } from '../log/log.ts';
import { writeToStderr } from '../log/textOutput.ts';
import type { RunConfig, ScalingConfig } from '../options/runOptions.ts';
import { TrainArgumentError } from '../options/trainArgumentError.ts';
import { ownersLog } from '../options/tellOwner.ts';
import type { Cluster, RunCluster } from './cluster.ts';
import { openLocalCluster } from './localCluster.ts';
import { ownerAccess } from './remote/ownerAccess.ts';
import { environmentAuthorities } from './remote/serverTrust.ts';
import { openRemoteCluster } from './remoteCluster.ts';

/** What decides where work happens. */
export interface ClusterWish {
  readonly scalingConfig: ScalingConfig | undefined;
  readonly signal: AbortSignal;
  readonly onLine?: ((line: string) => void) | undefined;
  /** Of a coordinator in this process. */
  readonly log?: Log | undefined;
  /** How long a coordinator elsewhere may be out of reach at first; default 0, since its address may be wrong. */
  readonly firstContactMs?: number;
}

/** The same of a run. */
export interface RunWish {
  readonly options: {
    readonly scalingConfig?: ScalingConfig | undefined;
    readonly runConfig?: RunConfig | undefined;
  };
  readonly workers: { readonly min: number; readonly max: number };
}

/** Whether it is a coordinator that is up already. */
export function isElsewhere({ url = process.env['TABGRAD_URL'] }: ScalingConfig = {}): boolean {
  return url !== undefined && url !== '';
}

/** @throws CoordinatorUnreachableError, RemoteError, PortInUseError, StorageError */
export async function openCluster({
  scalingConfig = {},
  signal,
  onLine,
  log,
  firstContactMs = 0,
}: ClusterWish): Promise<Cluster> {
  const {
    url = process.env['TABGRAD_URL'],
    token,
    runtime = 'node',
    device = 'auto',
    threads,
  } = scalingConfig;
  if (url === undefined || url === '')
    return openLocalCluster({ runtime, device, threads, signal, onLine, log });
  if (threads !== undefined)
    throw new TrainArgumentError(
      `scalingConfig.threads has no effect on the workers of the coordinator at ${url}: they have their own --threads.`,
      { field: 'scalingConfig.threads' },
    );
  const access = await ownerAccess(url, token);
  const ca = await environmentAuthorities(access.url, signal);
  return openRemoteCluster({ ...access, ca, signal, firstContactMs });
}

/**
 * The same for one run, which begins when all of its local workers are there.
 * @throws TrainArgumentError for more local workers than one machine should start.
 */
export async function openRunCluster(
  { options: { scalingConfig, runConfig }, workers }: RunWish,
  signal: AbortSignal,
): Promise<RunCluster> {
  const onLine = runConfig?.verbose === 2 ? writeToStderr : undefined;
  const cluster = await openCluster({ scalingConfig, signal, onLine, log: ownersLog(runConfig) });
  try {
    cluster.ensureWorkers(workers.max, workers.min);
    return {
      ...cluster,
      async startRun(request) {
        await cluster.ready();
        return cluster.startRun(request);
      },
    };
  } catch (error) {
    await cluster.close();
    throw error;
  }
}
