// What a program takes on its device, by kind, before it takes it.

import type { KernelProgram } from '../../../kernels/neural/program.ts';
import type { MemoryReport } from '../trainingEngine.ts';

/** @param stagingElements floats that are held ready for reading buckets. */
export function memoryReport({ memory }: KernelProgram, stagingElements = 0): MemoryReport {
  const report = {
    parameters: 0,
    gradients: 0,
    optimizer: 0,
    activations: 0,
    workspace: 0,
    staging: 4 * stagingElements,
  };
  for (const { kind, bytes } of memory.allocations) report[kind] += bytes;
  const total = Object.values(report).reduce((sum, bytes) => sum + bytes, 0);
  return { ...report, total };
}
