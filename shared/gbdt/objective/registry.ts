// The objectives. To add one: its file, its name in objective.ts and a line here.

import { binaryLogistic } from './binaryLogistic.ts';
import type { ObjectiveDefinition, ObjectiveName } from './objective.ts';
import { softprob } from './softprob.ts';
import { squaredError } from './squaredError.ts';

const objectives: { readonly [K in ObjectiveName]: ObjectiveDefinition } = {
  'binary:logistic': binaryLogistic,
  'multi:softprob': softprob,
  'reg:squarederror': squaredError,
};

export { objectiveNames } from './objective.ts';

export function objectiveByName(name: ObjectiveName): ObjectiveDefinition {
  return objectives[name];
}
