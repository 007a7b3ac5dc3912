// The loss as the engines take it: of probabilities or of logits, as the owner says or else the model.

import type { LossSpec } from '../../../shared/neural/trainingEngine.ts';
import { TrainArgumentError } from '../../options/trainArgumentError.ts';
import type { OpenedModel } from '../../checkpoint/modelSource.ts';
import type { NeuralSettings } from './neuralOptions.ts';

/** @throws TrainArgumentError where a cross-entropy can not know what it is taken of. */
export function resolveLoss(
  { name, fromLogits }: NeuralSettings['loss'],
  { outputKind }: OpenedModel,
): LossSpec {
  if (fromLogits !== undefined) return { name, fromLogits };
  if (outputKind.kind !== 'unknown') return { name, fromLogits: outputKind.kind === 'numbers' };
  if (name === 'meanSquaredError') return { name, fromLogits: false };
  throw new TrainArgumentError(
    `loss is "${name}", and layer "${outputKind.layer}" (${outputKind.className}) leaves open whether the model gives probabilities or logits; ` +
      `say it with loss: { name: "${name}", fromLogits: false } for probabilities, true for logits.`,
    { field: 'loss' },
  );
}
