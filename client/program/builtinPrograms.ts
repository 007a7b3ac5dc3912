// Programs that every worker has, so that it runs them for anybody: they are tabgrad's own code.

import { GBDTPredictor } from './gbdtPredictor.ts';
import { LayersPredictor } from './layersPredictor.ts';
import { NeuralPredictor } from './neuralPredictor.ts';
import { TreePredictor } from './treePredictor.ts';

type ProgramClass = new (...args: never[]) => object;

/**
 * By the name that owners know; coordinator/program/programCode.ts has the other half. TreePredictor and LayersPredictor
 * are what replicas of served models run.
 */
export const builtinPrograms: ReadonlyMap<string, ProgramClass> = new Map<string, ProgramClass>([
  ['GBDTPredictor', GBDTPredictor],
  ['LayersPredictor', LayersPredictor],
  ['NeuralPredictor', NeuralPredictor],
  ['TreePredictor', TreePredictor],
]);
