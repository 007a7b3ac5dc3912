// The module of the kernels of nets.

import { closePool, runTasks, serveTasks } from '../pool/jobs';

function dispatch(kernel: u32, parameters: usize, task: u32, thread: u32): void {
  unreachable();
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
