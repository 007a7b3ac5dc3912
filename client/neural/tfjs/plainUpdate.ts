// Update rules in plain loops over flat arrays: f32 values, computed in f64. Peers that have summed up the same
// gradients end with the same bits, whatever they compute on.

import type { OptimizerSpec } from '../../../kernels/neural/optimizer.ts';

/** Cuts or scales gradients in place: to ±clipValue each, then down to the norm clipNorm over all. */
export function clipGradients(
  gradients: Float32Array,
  { clipNorm, clipValue }: { readonly clipNorm?: number; readonly clipValue?: number },
): void {
  if (clipValue !== undefined) {
    for (let i = 0; i < gradients.length; i += 1) {
      gradients[i] = Math.min(clipValue, Math.max(-clipValue, gradients[i]!));
    }
  }
  if (clipNorm === undefined) return;
  let squares = 0;
  for (const gradient of gradients) squares += gradient * gradient;
  const scale = clipNorm / Math.sqrt(squares);
  if (!(scale < 1)) return;
  for (let i = 0; i < gradients.length; i += 1) gradients[i]! *= scale;
}

export interface PlainUpdate {
  readonly optimizer: OptimizerSpec;
  /** [n], changed in place. */
  readonly weights: Float32Array;
  /** [n], mean over the step's examples. */
  readonly gradients: Float32Array;
  /** The rule's arrays of n one after another, changed in place. */
  readonly memory: Float32Array;
  readonly learningRate: number;
  /** Counted from 0. */
  readonly step: number;
  /** Updates weights from `start` to before `end`. */
  readonly start: number;
  readonly end: number;
}

export function updateWeights(update: PlainUpdate): void {
  if (update.optimizer.name === 'sgd') descend(update, update.optimizer);
  else adapt(update, update.optimizer);
}

function descend(
  { weights, gradients, memory, learningRate, start, end }: PlainUpdate,
  { momentum, nesterov, weightDecay }: Extract<OptimizerSpec, { name: 'sgd' }>,
): void {
  for (let i = start; i < end; i += 1) {
    const weight = weights[i]!;
    const gradient = gradients[i]! + weightDecay * weight;
    let direction = gradient;
    if (momentum !== 0) {
      const velocity = (memory[i] = Math.fround(momentum * memory[i]! + gradient));
      direction = nesterov ? gradient + momentum * velocity : velocity;
    }
    weights[i] = weight - learningRate * direction;
  }
}

/** Adam, and AdamW with its decay apart from the gradient. */
function adapt(
  { weights, gradients, memory, learningRate, step, start, end }: PlainUpdate,
  { name, beta1, beta2, epsilon, weightDecay }: Extract<OptimizerSpec, { beta1: number }>,
): void {
  const firstBias = 1 - beta1 ** (step + 1);
  const secondBias = 1 - beta2 ** (step + 1);
  const [decayOfGradient, decayOfWeight] = name === 'adam' ? [weightDecay, 0] : [0, weightDecay];
  for (let i = start; i < end; i += 1) {
    const weight = weights[i]! * (1 - learningRate * decayOfWeight);
    const gradient = gradients[i]! + decayOfGradient * weights[i]!;
    const j = weights.length + i;
    const first = (memory[i] = Math.fround(beta1 * memory[i]! + (1 - beta1) * gradient));
    const second = (memory[j] = Math.fround(beta2 * memory[j]! + (1 - beta2) * gradient * gradient));
    weights[i] = weight - (learningRate * (first / firstBias)) / (Math.sqrt(second / secondBias) + epsilon);
  }
}
