// Leaf weights and gains with XGBoost's roundings to float32; shared/gbdt/splitScore.ts has the definition, step by step.

// Rules of a run: 0 gradient unit, 8 Hessian unit, 16 lambda, 24 alpha, 32 max_delta_step, 40 min_child_weight (doubles), 48 u32
// whether a feature is monotone, 52 u32 max_cat_to_onehot, 56 u32 max_cat_threshold.
// A node: 0 g, 8 h, 16 and 24 low limbs of both, 32 gain, 40 lower and 48 upper bound of weights (doubles), 56 sums (address), 60
// low limbs of the sums, or 0.

function fround(value: f64): f64 {
  return <f64>(<f32>value);
}

function shrink(rules: usize, gradient: f64): f64 {
  const alpha = load<f64>(rules, 24);
  if (gradient > alpha) return gradient - alpha;
  if (gradient < -alpha) return gradient + alpha;
  return 0;
}

function allows(rules: usize, h: f64): bool {
  return h > 0 && h * load<f64>(rules, 8) >= load<f64>(rules, 40);
}

/** Weight of a leaf without monotone bounds. */
export function freeWeight(rules: usize, g: f64, h: f64): f64 {
  const hessian = h * load<f64>(rules, 8);
  if (hessian < load<f64>(rules, 40) || hessian <= 0) return 0;
  const weight = -shrink(rules, g * load<f64>(rules)) / (hessian + load<f64>(rules, 16));
  const limit = load<f64>(rules, 32);
  if (limit !== 0 && abs<f64>(weight) > limit) return weight < 0 ? -limit : limit;
  return fround(weight);
}

function boundedWeight(rules: usize, node: usize, g: f64, h: f64): f64 {
  const weight = freeWeight(rules, g, h);
  if (load<u32>(rules, 48) === 0) return weight;
  const lower = load<f64>(node, 40);
  const upper = load<f64>(node, 48);
  return weight < lower ? lower : weight > upper ? upper : weight;
}

function plainGain(rules: usize, g: f64, h: f64): f64 {
  const hessian = h * load<f64>(rules, 8);
  if (hessian <= 0) return 0;
  const shrunk = shrink(rules, g * load<f64>(rules));
  return fround((shrunk * shrunk) / (hessian + load<f64>(rules, 16)));
}

function weightedGain(rules: usize, g: f64, h: f64, weight: f64): f64 {
  const hessian = h * load<f64>(rules, 8);
  if (hessian <= 0) return 0;
  const gradient = fround(g * load<f64>(rules));
  const linear = fround(fround(2 * gradient) * weight);
  const sum = fround(fround(hessian) + load<f64>(rules, 16));
  return -fround(linear + fround(sum * fround(weight * weight)));
}

/** Gain of a split with these sums of its children over the node as a leaf; minus infinity where there may be none. */
export function gainOfSides(
  rules: usize,
  node: usize,
  leftG: f64,
  leftH: f64,
  rightG: f64,
  rightH: f64,
  monotone: i32,
): f64 {
  if (!allows(rules, leftH) || !allows(rules, rightH)) return -Infinity;
  let both: f64;
  if (load<u32>(rules, 48) === 0 && load<f64>(rules, 32) === 0) {
    both = fround(plainGain(rules, leftG, leftH) + plainGain(rules, rightG, rightH));
  } else {
    const left = boundedWeight(rules, node, leftG, leftH);
    const right = boundedWeight(rules, node, rightG, rightH);
    if ((monotone > 0 && left > right) || (monotone < 0 && left < right)) return -Infinity;
    both = fround(weightedGain(rules, leftG, leftH, left) + weightedGain(rules, rightG, rightH, right));
  }
  const gain = fround(both - load<f64>(node, 32));
  // Beyond float32: such a split is passed over.
  return isFinite<f64>(gain) ? gain : -Infinity;
}
