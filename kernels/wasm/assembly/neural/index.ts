// The module of the kernels of nets.

import { closePool, runTasks, serveTasks } from '../pool/jobs';
import { batchNorm, batchNormGradient } from './batchNorm';
import { blockMoments, columnSums } from './columnSums';
import { elementwise } from './elementwise';
import { gatherProduct } from './gatherProduct';
import * as kernels from './kernelNumbers';
import { averagePool, maxPool, poolGradient, shiftImage } from './pooling';
import { layerNorm, layerNormGradient, softmax, softmaxGradient } from './rows';
import { update } from './update';
import { weightProduct } from './weightProduct';

function dispatch(kernel: u32, parameters: usize, task: u32, thread: u32): void {
  switch (kernel) {
    case kernels.GATHER_PRODUCT:
      return gatherProduct(parameters, task, thread);
    case kernels.WEIGHT_PRODUCT:
      return weightProduct(parameters, task, thread);
    case kernels.ELEMENTWISE:
      return elementwise(parameters, task);
    case kernels.UPDATE:
      return update(parameters, task);
    case kernels.COLUMN_SUMS:
      return columnSums(parameters, task);
    case kernels.BLOCK_MOMENTS:
      return blockMoments(parameters, task);
    case kernels.BATCH_NORM:
      return batchNorm(parameters, task);
    case kernels.BATCH_NORM_GRADIENT:
      return batchNormGradient(parameters, task);
    case kernels.MAX_POOL:
      return maxPool(parameters, task);
    case kernels.AVERAGE_POOL:
      return averagePool(parameters, task);
    case kernels.POOL_GRADIENT:
      return poolGradient(parameters, task);
    case kernels.SHIFT_IMAGE:
      return shiftImage(parameters, task);
    case kernels.SOFTMAX:
      return softmax(parameters, task);
    case kernels.SOFTMAX_GRADIENT:
      return softmaxGradient(parameters, task);
    case kernels.LAYER_NORM:
      return layerNorm(parameters, task);
    case kernels.LAYER_NORM_GRADIENT:
      return layerNormGradient(parameters, task);
    default:
      unreachable();
  }
}

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

export { closePool };
