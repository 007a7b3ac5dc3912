// Several classes, cross-entropy, as multi:softprob; predictions are the classes themselves. XGBoost:
// src/objective/multiclass_obj.cu.

import { identityLink, largestOutput } from './links.ts';
import type { ObjectiveLink } from './objective.ts';

export const softmax = {
  ...identityLink,
  name: 'multi:softmax',
  predictsClass: true,
  transform(margins, outputs) {
    // Each class is written at or before the margins that it was made of.
    const rows = margins.length / outputs;
    for (let row = 0; row < rows; row += 1) margins[row] = largestOutput(margins, row * outputs, outputs);
  },
  labelOf: (predictions, from) => predictions[from]!,
} as const satisfies ObjectiveLink;
