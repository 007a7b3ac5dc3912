// The objectives, by XGBoost's names. To add one: its file and a line here.

import { binaryLogistic } from './binaryLogistic.ts';
import type { ObjectiveDefinition } from './objective.ts';
import { softprob } from './softprob.ts';
import { squaredError } from './squaredError.ts';

const objectives = [binaryLogistic, softprob, squaredError] as const;

export type ObjectiveName = (typeof objectives)[number]['name'];
export const objectiveNames = objectives.map(({ name }) => name);

const byName: ReadonlyMap<ObjectiveName, ObjectiveDefinition> = new Map(
  objectives.map((objective) => [objective.name, objective]),
);

export function objectiveByName(name: ObjectiveName): ObjectiveDefinition {
  return byName.get(name)!;
}
