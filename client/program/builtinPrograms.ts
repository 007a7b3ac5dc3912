// Programs that every worker has, so that it runs them for anybody: they are tabgrad's own code.

import type { CarriedCheckpoint } from '../../shared/program/carriedCheckpoint.ts';
import { BatchPredictor, type BatchPredictorOptions } from '../../shared/gbdt/model/batchPredictor.ts';
import { TreePredictor } from './treePredictor.ts';

type ProgramClass = new (...args: never[]) => object;

class GBDTPredictor extends BatchPredictor {
  constructor(checkpoint: CarriedCheckpoint, options?: BatchPredictorOptions) {
    super(checkpoint.loadModel(), options);
  }
}

/**
 * By the name that owners know; coordinator/program/programCode.ts has the other half. TreePredictor is what replicas of
 * served trees run.
 */
export const builtinPrograms: ReadonlyMap<string, ProgramClass> = new Map<string, ProgramClass>([
  ['GBDTPredictor', GBDTPredictor],
  ['TreePredictor', TreePredictor],
]);
