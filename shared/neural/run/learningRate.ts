// Learning rates by step. All members compute them, in different JavaScript engines: so only arithmetic that IEEE 754
// rounds the same everywhere is used. (Math.cos and Math.pow are not; engines differ in the last bit.)

type LearningRateDecay =
  | { readonly kind: 'constant' }
  /** Half a cosine down to `final` times the rate (Loshchilov & Hutter 2017, without restarts). */
  | { readonly kind: 'cosine'; readonly final: number }
  /** Times `factor` every `steps` steps. */
  | { readonly kind: 'step'; readonly steps: number; readonly factor: number };

export interface LearningRateSchedule {
  readonly initial: number;
  /** Steps over which the rate rises from 0 linearly, before it decays. */
  readonly warmupSteps: number;
  readonly decay: LearningRateDecay;
}

/** @param step counted from 0. @param steps steps of the whole run. */
export function learningRateAt(
  { initial, warmupSteps, decay }: LearningRateSchedule,
  step: number,
  steps: number,
): number {
  if (step < warmupSteps) return (initial * (step + 1)) / warmupSteps;
  const since = step - warmupSteps;
  switch (decay.kind) {
    case 'constant':
      break;
    case 'cosine': {
      const share = Math.min(1, since / Math.max(1, steps - warmupSteps));
      return initial * (decay.final + (1 - decay.final) * 0.5 * (1 + cosineOfPi(share)));
    }
    case 'step':
      return initial * wholePower(decay.factor, Math.floor(since / decay.steps));
  }
  return initial;
}

/** base^exponent by multiplications alone. */
function wholePower(base: number, exponent: number): number {
  let power = 1;
  for (let square = base, left = exponent; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) power *= square;
    square *= square;
  }
  return power;
}

/** cos(π·x) for x in [0, 1], to 1e-15: the Taylor series on [0, π/2], mirrored. */
function cosineOfPi(x: number): number {
  const mirrored = x > 0.5;
  const angle = Math.PI * (mirrored ? 1 - x : x);
  let term = 1;
  let sum = 1;
  for (let n = 2; n <= 24; n += 2) {
    term *= -(angle * angle) / (n * (n - 1));
    sum += term;
  }
  return mirrored ? -sum : sum;
}
