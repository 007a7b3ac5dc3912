// Trials mostly differ in parameters that the prepared data does not depend on: what they share is prepared once.

import { buildTrainSpec } from '../../../shared/gbdt/buildTrainSpec.ts';
import { areNumbers } from '../../../shared/gbdt/labels.ts';
import { KeptWork } from './keptWork.ts';
import {
  prepareTraining,
  type PreparedTraining,
  type PrepareInput,
} from '../../train/gbdt/prepareTraining.ts';

/** More would be kept only for spaces over the preparation itself, like max_bin. */
const KEPT = 16;

/** Shards depend on labels, weights and cuts: on these parameters and on no others. */
function preparationKey(input: PrepareInput): string {
  const { objective, num_class, max_bin, scale_pos_weight, base_score } = input.params;
  const { labelColumn, weightColumn, featureColumns } = input;
  return JSON.stringify([
    labelColumn,
    weightColumn,
    featureColumns,
    objective,
    num_class,
    max_bin,
    scale_pos_weight,
    // Margins of numbers are scaled by the largest label or by this.
    areNumbers(input.params) ? base_score : 0,
  ]);
}

export class SharedPreparation {
  readonly #signal: AbortSignal;
  readonly #prepare: (input: PrepareInput) => Promise<PreparedTraining>;
  readonly #kept = new KeptWork<PreparedTraining>(KEPT);

  /** @param signal of the whole experiment: a trial that ends must not take the preparation from the others. */
  constructor(signal: AbortSignal, prepare = prepareTraining) {
    this.#signal = signal;
    this.#prepare = prepare;
  }

  async prepare(input: PrepareInput): Promise<PreparedTraining> {
    // Shards of a run that goes on from a model carry that model's margins.
    if (input.startFrom) return this.#prepare(input);
    const datasets = Object.entries(input.datasets).map(([name, data]) => `${name}=${this.#kept.idOf(data)}`);
    const key = `${datasets.join()}/${preparationKey(input)}`;
    const { result: prepared, isNew } = await this.#kept.do(key, () =>
      this.#prepare({ ...input, signal: this.#signal }),
    );
    const { params, numBoostRound } = input;
    const { features, target, spec } = prepared;
    const { trainRows, evaluationSets } = spec;
    return {
      ...prepared,
      // Said once is enough.
      warnings: isNew ? prepared.warnings : [],
      spec: buildTrainSpec({
        params,
        numBoostRound,
        features,
        target,
        trainRows,
        allRows: Object.values(prepared.rows).reduce((sum, rows) => sum + rows, 0),
        evaluationSets,
      }),
    };
  }
}
