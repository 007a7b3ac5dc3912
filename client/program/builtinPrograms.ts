// Programs that every worker has, so that it runs them for anybody: they are tabgrad's own code.

import { TreePredictor } from '../../shared/gbdt/model/treePredictor.ts';
import { NeuralPredictor } from './neuralPredictor.ts';

type ProgramClass = new (...args: never[]) => object;

/**
 * By the name that owners know; coordinator/program/programCode.ts has the other half. Batch predictions call them with
 * columns by name, replicas of served models with what they have read of requests.
 */
export const builtinPrograms: ReadonlyMap<string, ProgramClass> = new Map<string, ProgramClass>([
  ['GBDTPredictor', TreePredictor],
  ['NeuralPredictor', NeuralPredictor],
]);
