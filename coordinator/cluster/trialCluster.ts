// The one cluster that all trials of an experiment share: a coordinator that is up already, or one in this process whose
// local workers grow to what the trials ask for. The coordinator forms the groups; they never overlap.

import { MAX_LOCAL_WORKERS, type LocalDevice, type LocalRuntime } from '../options/localWorker.ts';
import { startLocalWorkers } from './local/localWorkers.ts';
import type { Log } from '../log/log.ts';
import { startCoordinator } from '../core/server/coordinator.ts';
import type { Cluster } from './cluster.ts';
import { LocalWorkerGroup } from './localWorkerGroup.ts';
import { TrainArgumentError } from '../options/trainArgumentError.ts';
import { ownerAccess } from './remote/ownerAccess.ts';
import { environmentAuthorities } from './remote/serverTrust.ts';
import { openRemoteCluster } from './remoteCluster.ts';
import type { ExperimentRecord } from '../core/store/experimentRecord.ts';
import { remoteRecord } from './remote/remoteRecord.ts';

export interface TrialCluster extends Cluster {
  /** The coordinator's. */
  readonly experiments: ExperimentRecord;
  /**
   * Makes sure that there are workers for so many trials, or on their way; nothing where workers come by themselves.
   * @throws TrainArgumentError when one trial wants more than one machine should start.
   */
  ensureWorkers(each: number, trials: number): void;
  /** Workers that no run has; undefined where that is not known. */
  freeWorkers(): number | undefined;
}

export interface TrialClusterOptions {
  readonly url: string | undefined;
  readonly token: string | undefined;
  readonly runtime: LocalRuntime | readonly LocalRuntime[];
  readonly device: LocalDevice;
  /** Fewest workers of a trial. */
  readonly min: number;
  readonly signal: AbortSignal;
  readonly onLine?: ((line: string) => void) | undefined;
  /** Of a coordinator in this process. */
  readonly log: Log;
}

/** An experiment takes long: a coordinator that is just being restarted is waited for. */
const FIRST_CONTACT_MS = 30_000;

export async function openTrialCluster(options: TrialClusterOptions): Promise<TrialCluster> {
  const { url, token, signal } = options;
  if (url === undefined || url === '') return openEmbedded(options);
  const access = await ownerAccess(url, token);
  const address = { ...access, ca: await environmentAuthorities(access.url, signal), signal };
  const cluster = await openRemoteCluster({ ...address, firstContactMs: FIRST_CONTACT_MS });
  return {
    ...cluster,
    experiments: remoteRecord(address),
    ensureWorkers: () => undefined,
    freeWorkers: () => undefined,
  };
}

async function openEmbedded({
  min,
  runtime,
  device,
  signal,
  onLine,
  log,
}: TrialClusterOptions): Promise<TrialCluster> {
  const coordinator = await startCoordinator({ port: 0, log });
  const crews: LocalWorkerGroup[] = [];
  let asked = 0;
  let fail: (error: unknown) => void = () => undefined;
  const lost = new Promise<never>((_, reject) => (fail = reject));
  lost.catch(() => undefined);
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    await Promise.all(crews.map((crew) => crew.stop()));
    await coordinator.close();
  };
  return {
    url: coordinator.url,
    blobs: coordinator.blobs,
    experiments: coordinator.experiments,
    readBlob: ({ sha256 }) => coordinator.blobs.read(sha256),
    ensureWorkers(each, trials) {
      if (each > MAX_LOCAL_WORKERS) {
        throw new TrainArgumentError(
          `scalingConfig.numWorkers asks for ${each} workers on this machine, expected at most ${MAX_LOCAL_WORKERS}.`,
          { field: 'scalingConfig.numWorkers' },
        );
      }
      const count = each * Math.max(1, Math.min(trials, Math.floor(MAX_LOCAL_WORKERS / each)));
      if (count <= asked) return;
      const crew = new LocalWorkerGroup({
        url: coordinator.url,
        token: coordinator.tokens.local,
        start: startLocalWorkers,
        min: Math.min(min, count - asked),
        count: count - asked,
        runtime,
        device,
        signal,
        ...(onLine && { onLine }),
      });
      asked = count;
      crews.push(crew);
      // Workers join while the first runs wait for them; one that can't be started ends the runs.
      crew.ready.catch(fail);
      crew.lost.catch(fail);
    },
    freeWorkers: () =>
      coordinator.pool
        .workers()
        .filter(({ runId, programs }) => runId === undefined && programs === 0)
        .filter((worker) => worker.present && worker.leaving === undefined).length,
    startRun(request) {
      const run = coordinator.startRun(request);
      const done = Promise.race([run.done, lost]);
      done.catch(() => run.stop('its workers are gone'));
      return Promise.resolve({
        runId: run.runId,
        onEvent: (listener) => run.onEvent(listener),
        done,
        stop: (reason) => run.stop(reason),
      });
    },
    close: () => (closing ??= close()),
  };
}
