// What an owner is told whose model is trained by tfjs.

import type { UnsupportedPart } from '../../../shared/neural/model/readModel.ts';

export function fallbackWarning({ layer, className, reason }: UnsupportedPart): string {
  return (
    `The compiled engine does not know layer "${layer}" (${className}: ${reason}), so tfjs's autodiff trains the model: ` +
    'steps take 6 to 200 times as long, and there is neither syncBatchNorm nor a profile (docs/neural.md).'
  );
}
