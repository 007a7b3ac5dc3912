// Watches one metric over the rounds: which round was best, and when to give up (XGBoost's EarlyStopping callback).

import { metricByName } from '../../shared/gbdt/metric/registry.ts';
import type { TrainSpec } from '../../shared/gbdt/trainSpec.ts';
import type { CommittedRound } from '../run/runRequest.ts';

export interface BestRound {
  readonly round: number;
  readonly score: number;
  readonly metrics: Readonly<Record<string, number>>;
}

export class ScoreWatch {
  /** The last metric of the last evaluation set, e.g. "valid-auc". */
  readonly metric: string;
  readonly #higherIsBetter: boolean;
  readonly #patience: number;
  readonly #isEnough: (round: number, metrics: CommittedRound['metrics']) => boolean;
  #overAt = Infinity;
  #lastRound = -1;
  #best: BestRound | undefined;

  /**
   * @param patience rounds without improvement after which to stop; Infinity never stops.
   * @param isEnough asked once for every round: true stops too.
   */
  constructor(
    { evaluationSets, metrics }: Pick<TrainSpec, 'evaluationSets' | 'metrics'>,
    patience = Infinity,
    isEnough: (round: number, metrics: CommittedRound['metrics']) => boolean = () => false,
  ) {
    const name = metrics.at(-1) ?? '';
    this.metric = `${evaluationSets.at(-1) ?? ''}-${name}`;
    this.#higherIsBetter = metricByName(name)?.higherIsBetter ?? false;
    this.#patience = patience;
    this.#isEnough = isEnough;
  }

  get best(): BestRound | undefined {
    return this.#best;
  }

  /**
   * Takes a round's metrics (a second time without effect); true when training should end with this round, or should
   * have ended before. Who hears of a round later than others gets the answer that they got.
   */
  observe({ round, metrics }: Pick<CommittedRound, 'round' | 'metrics'>): boolean {
    if (round > this.#lastRound) {
      this.#lastRound = round;
      const score = metrics[this.metric];
      const best = this.#best?.score;
      // Only a strictly better score counts; NaN never does.
      if (
        score !== undefined &&
        (best === undefined || (this.#higherIsBetter ? score > best : score < best))
      ) {
        this.#best = { round, score, metrics };
      }
      const isPatient = round - (this.#best?.round ?? -1) < this.#patience;
      if (this.#isEnough(round, metrics) || !isPatient) this.#overAt = Math.min(this.#overAt, round);
    }
    return round >= this.#overAt;
  }
}
