// The objectives, by XGBoost's names. To add one: its file and a line here.

import { absoluteError } from './absoluteError.ts';
import { acceleratedFailureTime } from './acceleratedFailureTime.ts';
import { binaryHinge } from './binaryHinge.ts';
import { binaryLogistic } from './binaryLogistic.ts';
import { coxRegression } from './coxRegression.ts';
import { expectileError } from './expectileError.ts';
import { gammaRegression } from './gammaRegression.ts';
import { logitRaw } from './logitRaw.ts';
import { poissonRegression } from './poissonRegression.ts';
import { pseudoHuberError } from './pseudoHuberError.ts';
import { quantileError } from './quantileError.ts';
import { rankMap } from './rankMap.ts';
import { rankNdcg } from './rankNdcg.ts';
import { rankPairwise } from './rankPairwise.ts';
import { regLogistic } from './regLogistic.ts';
import { softmax } from './softmax.ts';
import { softprob } from './softprob.ts';
import { squaredError } from './squaredError.ts';
import { squaredLogError } from './squaredLogError.ts';
import { tweedieRegression } from './tweedieRegression.ts';
import type { ObjectiveDefinition, ObjectiveLink } from './objective.ts';

const objectives = [binaryLogistic, softprob, squaredError] as const;

/** Models with them predict; they can not be trained here. */
const predictedOnly = [
  squaredLogError,
  regLogistic,
  pseudoHuberError,
  absoluteError,
  quantileError,
  expectileError,
  gammaRegression,
  tweedieRegression,
  poissonRegression,
  rankPairwise,
  rankNdcg,
  rankMap,
  coxRegression,
  acceleratedFailureTime,
  logitRaw,
  binaryHinge,
  softmax,
] as const;

/** Objectives that can be trained. */
export type ObjectiveName = (typeof objectives)[number]['name'];
export const objectiveNames = objectives.map(({ name }) => name);

/** Objectives of models that can be read. */
export type ModelObjective = ObjectiveName | (typeof predictedOnly)[number]['name'];
export const modelObjectiveNames: readonly ModelObjective[] = [...objectives, ...predictedOnly].map(
  ({ name }) => name,
);

const byName: ReadonlyMap<ObjectiveName, ObjectiveDefinition> = new Map(
  objectives.map((objective) => [objective.name, objective]),
);
const links: ReadonlyMap<ModelObjective, ObjectiveLink> = new Map(
  [...objectives, ...predictedOnly].map((objective): [ModelObjective, ObjectiveLink] => [
    objective.name,
    objective,
  ]),
);

export function objectiveByName(name: ObjectiveName): ObjectiveDefinition {
  return byName.get(name)!;
}

/** What predictions need to know of any objective. */
export function linkByName(name: ModelObjective): ObjectiveLink {
  return links.get(name)!;
}

/** Whether it can be trained. */
export function isTrainable(name: ModelObjective): name is ObjectiveName {
  return byName.has(name as ObjectiveName);
}
