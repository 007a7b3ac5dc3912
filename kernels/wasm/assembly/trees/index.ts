// The module of the kernels of trees. What the numbers of kernels and their parameters mean is written beside each; those who
// ask for jobs are in kernels/gbdt/wasm.

import { closePool, runTasks, serveTasks } from '../pool/jobs';
import { addStandingTask, walkTask } from './addTree';
import { addForest } from './forest';
import { gradientTask } from './gradients';
import { addLosses } from './losses';
import { radixSort, rankKeys, rankRuns } from './sort';
import { searchTask } from './splits';
import { mergeTask, partitionTask, sumFeaturesTask, sumRowsTask } from './level';

function dispatch(kernel: u32, p: usize, task: u32, thread: u32): void {
  switch (kernel) {
    case 0:
      gradientTask(p, task);
      break;
    case 1:
      partitionTask(p, task, thread);
      break;
    case 2:
      sumRowsTask(p, task, thread);
      break;
    case 3:
      sumFeaturesTask(p, task);
      break;
    case 4:
      mergeTask(p, task);
      break;
    case 5:
      addStandingTask(p, task);
      break;
    case 6:
      walkTask(p, task);
      break;
    case 7:
      searchTask(p, task, thread);
      break;
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
