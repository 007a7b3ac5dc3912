// An owner's loop over rounds of trees, in its thread: rounds are made by the worker's main thread.

import type { TrainLoopContext } from '../../shared/gbdt/trainLoop.ts';
import type { AskMain, LoadOwnerFunction, OpenLoop } from '../ownerLoop/askMain.ts';
import type { RoundsPlace } from '../ownerLoop/loopMessages.ts';

/** What the main thread answers with. */
export interface MadeRound {
  /** Rounds that are committed. */
  readonly round: number;
  readonly metrics: Readonly<Record<string, number>>;
}

export async function openRoundsLoop(load: LoadOwnerFunction, ask: AskMain): Promise<OpenLoop> {
  const loop = await load();
  return {
    call: async (config, place) => void (await loop(config, contextOf(place as RoundsPlace, ask))),
    close: () => Promise.resolve(),
  };
}

function contextOf(place: RoundsPlace, ask: AskMain): TrainLoopContext {
  const { rank, size, numBoostRound, datasetRows } = place;
  let { round, metrics } = place;
  return {
    rank,
    size,
    numBoostRound,
    get round() {
      return round;
    },
    get metrics() {
      return metrics;
    },
    datasetRows: (dataset) => (Object.hasOwn(datasetRows, dataset) ? datasetRows[dataset]! : 0),
    async boost(params = {}) {
      const made = (await ask({ op: 'boost', params })) as MadeRound;
      ({ round, metrics } = made);
      return made.metrics;
    },
  };
}
