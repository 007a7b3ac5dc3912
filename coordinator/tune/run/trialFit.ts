// What trials of all trainers do alike: they tell the experiment what they wait for, and train on the cluster that all trials
// share.

import { relative } from 'node:path';
import type { ProgressEvent } from '../../progress/progressEvent.ts';
import type { Cluster, RunCluster } from '../../cluster/cluster.ts';
import type { ScalingConfig } from '../../options/runOptions.ts';
import type { TrialCallbacks, TrialPiece } from '../trial/trialRunner.ts';

/** The fewest workers that a trial begins with. */
export function leastWorkers({ numWorkers = 1 }: ScalingConfig = {}): number {
  return typeof numWorkers === 'number' ? numWorkers : numWorkers[0];
}

/** Hears a trainer's events for the experiment. */
export function trialListener(
  { index }: TrialPiece,
  callbacks: TrialCallbacks,
  cluster: Cluster,
  scalingConfig: ScalingConfig | undefined,
): (event: ProgressEvent) => void {
  const name = `trial ${index}`;
  const least = leastWorkers(scalingConfig);
  callbacks.waiting(`${name} waits for its data`);
  return (event) => {
    if (event.type === 'group') callbacks.working();
    else if (event.type === 'preparing') callbacks.waiting(`${name} prepares ${event.rows} rows`);
    else if (event.type === 'waiting') {
      const free = cluster.freeWorkers();
      const need = `${name} waits for ${least} ${least === 1 ? 'worker' : 'workers'}`;
      callbacks.waiting(
        free === undefined
          ? `${name}: ${event.reason}`
          : `${need}; ${free} ${free === 1 ? 'is' : 'are'} free`,
      );
    }
  };
}

/** The experiment's cluster as one trainer sees it: it ends with the experiment, not with the fit. */
export function trialsShareOf(cluster: Cluster, callbacks: TrialCallbacks): RunCluster {
  return {
    url: cluster.url,
    blobs: cluster.blobs,
    readBlob: (blob) => cluster.readBlob(blob),
    async startRun(request) {
      const run = await cluster.startRun(request);
      callbacks.run(run.runId);
      return run;
    },
    close: () => Promise.resolve(),
  };
}

/** Whether what the trial left earlier is not what it goes on from. The experiment's folder is what is refused. */
export function beginsAnew({ id, checkpoint }: TrialPiece): boolean {
  return checkpoint === undefined || !checkpoint.path.startsWith(`${id}/`);
}

/** As checkpoints are on record: below the experiment's folder. */
export function pathOnRecord({ experimentFolder }: TrialPiece, path: string): string {
  return relative(experimentFolder, path).split('\\').join('/');
}
