// The module of the kernels of trees. What the parameters of a kernel mean is written beside it; those who ask for jobs are in
// kernels/gbdt/wasm.

import { closePool, runTasks, serveTasks } from '../pool/jobs';
import { addStandingTask, walkTask } from './addTree';
import { addForest } from './forest';
import { gradientTask } from './gradients';
import { addLosses } from './losses';
import { radixSort, rankKeys, rankRuns } from './sort';
import * as kernels from './kernelNumbers';
import { searchTask } from './splits';
import { mergeTask, partitionTask, sumFeaturesTask, sumRowsTask } from './level';

function dispatch(kernel: u32, p: usize, task: u32, thread: u32): void {
  switch (kernel) {
    case kernels.GRADIENTS:
      return gradientTask(p, task);
    case kernels.PARTITION:
      return partitionTask(p, task, thread);
    case kernels.SUM_ROWS:
      return sumRowsTask(p, task, thread);
    case kernels.SUM_FEATURES:
      return sumFeaturesTask(p, task);
    case kernels.MERGE:
      return mergeTask(p, task);
    case kernels.ADD_STANDING:
      return addStandingTask(p, task);
    case kernels.WALK:
      return walkTask(p, task);
    case kernels.SEARCH:
      return searchTask(p, task, thread);
  }
}

/** First byte that the module does not use itself. */
export function heapStart(): usize {
  return __heap_base;
}

/** See ../pool/jobs. */
export function run(control: usize, kernel: u32, parameters: usize, tasks: u32): u32 {
  return runTasks(control, kernel, parameters, tasks, dispatch);
}

export function serve(control: usize, thread: u32): void {
  serveTasks(control, thread, dispatch);
}

export { addForest, addLosses, closePool, radixSort, rankKeys, rankRuns };
