// Trains on all flights with all workers, whoever joins in the meantime included.

import { formatDuration, formatMetrics } from '../../../coordinator/progress/formatNumbers.ts';
import { terminalProgress } from '../../../coordinator/progress/terminalProgress.ts';
import { GBDTTrainer } from '../../../coordinator/train/gbdt/gbdtTrainer.ts';
import type { Result } from '../../../coordinator/train/result.ts';
import { pickMetrics, type Lesson } from './lesson.ts';

/** So many tabs of volunteers may take part besides. */
const MAX_WORKERS = 32;

/** @param workers fewest workers to begin with. */
export async function trainStep(lesson: Lesson, workers: number): Promise<Result> {
  const { coordinator, config, train, valid, rounds, resultsPath, workersReady, signal, now, say } = lesson;
  const progress = terminalProgress({
    stream: process.stdout,
    mode: process.stdout.isTTY ? 'live' : 'plain',
    roundsTotal: rounds,
    now,
    signal,
  });
  try {
    const trainer = new GBDTTrainer(
      {
        datasets: { train, valid },
        labelColumn: config.labelColumn,
        params: config.params,
        numBoostRound: rounds,
        scalingConfig: { numWorkers: [workers, MAX_WORKERS] },
        runConfig: {
          name: config.runConfig.name,
          storagePath: resultsPath,
          overwrite: true, // the lesson's second time replaces its first
          callbacks: [
            {
              onEvent: (event) => progress.event(event),
              onWarning: (text) => progress.line(`warning: ${text}`),
            },
          ],
        },
      },
      {
        now,
        // The coordinator outlives the fit here, so that volunteers can join it from the start to the end.
        openCluster: async () => ({
          url: coordinator.url,
          token: coordinator.tokens.admin,
          blobs: coordinator.blobs,
          readBlob: ({ sha256 }) => coordinator.blobs.read(sha256),
          startRun: async (request) => {
            await workersReady;
            return coordinator.startRun(request);
          },
          close: async () => {},
        }),
      },
    );
    const result = await trainer.fit({ signal });
    progress.close();
    const { prepareMs, waitMs, trainMs } = result.timings;
    say(
      `trained in ${formatDuration(trainMs)}, after ${formatDuration(prepareMs)} of preparing and ${formatDuration(waitMs)} of waiting`,
    );
    say(`validation: ${formatMetrics(pickMetrics(result.metrics, 'valid-'))}`);
    return result;
  } finally {
    progress.close();
  }
}
