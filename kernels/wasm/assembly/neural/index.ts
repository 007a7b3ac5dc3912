// The module of the kernels of nets.

import { closePool, runTasks, serveTasks } from '../pool/jobs';
import { batchNorm, batchNormGradient } from './batchNorm';
import { blockMoments, columnSums } from './columnSums';
import { depthwise, depthwiseInputGradient, depthwiseParts } from './depthwise';
import { elementwise } from './elementwise';
import { gatherProduct } from './gatherProduct';
import * as kernels from './kernelNumbers';
import { averagePool, maxPool, poolGradient, shiftImage } from './pooling';
import { gradientSquares, layerNorm, layerNormGradient, softmax, softmaxGradient } from './rows';
import { columnwise, copySlice, dropout, embedding, embeddingGradient, permute } from './tables';
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
    case kernels.DEPTHWISE:
      return depthwise(parameters, task);
    case kernels.DEPTHWISE_INPUT_GRADIENT:
      return depthwiseInputGradient(parameters, task);
    case kernels.DEPTHWISE_PARTS:
      return depthwiseParts(parameters, task);
    case kernels.DROPOUT:
      return dropout(parameters, task);
    case kernels.COLUMNWISE:
      return columnwise(parameters, task);
    case kernels.COPY_SLICE:
      return copySlice(parameters, task);
    case kernels.PERMUTE:
      return permute(parameters, task);
    case kernels.EMBEDDING:
      return embedding(parameters, task);
    case kernels.EMBEDDING_GRADIENT:
      return embeddingGradient(parameters, task);
    case kernels.GRADIENT_SQUARES:
      return gradientSquares(parameters, task);
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
