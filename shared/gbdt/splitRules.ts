// What splits of a run are judged by, as plain numbers for the devices that search them.

import type { SplitRules } from '../../kernels/gbdt/splitCandidate.ts';
import type { TrainSpec } from './trainSpec.ts';

const known = new WeakMap<TrainSpec, SplitRules>();

/** The same object for the same run. */
export function splitRules(spec: TrainSpec): SplitRules {
  const found = known.get(spec);
  if (found) return found;
  const { params, features, gradientUnit, hessianUnit } = spec;
  const rules: SplitRules = {
    gradientUnit,
    hessianUnit,
    lambda: params.lambda,
    alpha: params.alpha,
    maxDeltaStep: params.max_delta_step,
    minChildWeight: params.min_child_weight,
    maxCatToOnehot: params.max_cat_to_onehot,
    maxCatThreshold: params.max_cat_threshold,
    features,
  };
  known.set(spec, rules);
  return rules;
}
