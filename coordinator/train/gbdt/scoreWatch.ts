// Watches one metric over the rounds: which round was best, and when to give up (XGBoost's EarlyStopping callback).

import { metricByName } from '../../../shared/gbdt/metric/registry.ts';
import type { TrainSpec } from '../../../shared/gbdt/trainSpec.ts';
import type { CommittedRound } from '../../core/run/runRequest.ts';

export interface BestRound {
  readonly round: number;
  readonly score: number;
  readonly metrics: Readonly<Record<string, number>>;
}

/** The metric that rules early stopping: the last of the last evaluation set, e.g. "valid-auc". */
export function scoreMetric({
  evaluationSets,
  metrics,
}: Pick<TrainSpec, 'evaluationSets' | 'metrics'>): string {
  return `${evaluationSets.at(-1) ?? ''}-${metrics.at(-1) ?? ''}`;
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
   * @param earlier the best round of a run that this one resumes, counted from this run's first: negative.
   */
  constructor(
    { evaluationSets, metrics }: Pick<TrainSpec, 'evaluationSets' | 'metrics'>,
    patience = Infinity,
    isEnough: (round: number, metrics: CommittedRound['metrics']) => boolean = () => false,
    earlier?: Omit<BestRound, 'metrics'>,
  ) {
    this.metric = scoreMetric({ evaluationSets, metrics });
    this.#higherIsBetter = metricByName(metrics.at(-1) ?? '')?.higherIsBetter ?? false;
    this.#patience = patience;
    this.#isEnough = isEnough;
    this.#best = earlier && { ...earlier, metrics: { [this.metric]: earlier.score } };
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
      // A metric without a value (auc of one class) says nothing about the round.
      const isPatient = !this.#best || round - this.#best.round < this.#patience;
      if (this.#isEnough(round, metrics) || !isPatient) this.#overAt = Math.min(this.#overAt, round);
    }
    return round >= this.#overAt;
  }
}
