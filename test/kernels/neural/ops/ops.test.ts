// Every op by itself: the numbers of the GPU are those of the reference, and what is not finite stays so and stays where it
// is.

import { afterAll, beforeAll, expect, it } from 'vitest';
import { PipelineCache } from '../../../../kernels/gpu/pipelineCache.ts';
import { createCpuExecutor } from '../../../../kernels/neural/cpuExecutor.ts';
import type { KernelPlan } from '../../../../kernels/neural/kernelCall.ts';
import { batchUniform } from '../../../../kernels/neural/kernelCall.ts';
import type { Program } from '../../../../kernels/neural/program.ts';
import type { ProgramExecutor } from '../../../../kernels/neural/programExecutor.ts';
import { createWebgpuExecutor } from '../../../../kernels/neural/webgpuExecutor.ts';
import { openNodeGpuDevice } from '../../../setup/nodeGpu.ts';
import { seededNumbers } from '../../seededNumbers.ts';
import type { OpCase } from './opCases.ts';
import { opCases } from './opCases.ts';

let gpu: GPUDevice;
let pipelines: PipelineCache;
beforeAll(async () => {
  gpu = await openNodeGpuDevice();
  pipelines = new PipelineCache(gpu);
});
afterAll(() => gpu.destroy());

function programOf(plan: KernelPlan, sizes: Readonly<Record<string, number>>): Program {
  const places = Object.entries({ ...sizes, workspace: Math.max(1, plan.workspaceBytes / 4) });
  return {
    memory: {
      allocations: places.map(([name, length]) => ({ name, bytes: 4 * length, kind: 'workspace' })),
      views: Object.fromEntries(
        places.map(([name, length]) => [
          name,
          { allocation: name, offsetBytes: 0, bytes: 4 * length, type: 'f32' },
        ]),
      ),
      contents: {},
    },
    uniforms: [batchUniform],
    calls: plan.calls,
  };
}

async function results(
  executor: ProgramExecutor,
  plan: KernelPlan,
  given: Readonly<Record<string, Float32Array<ArrayBuffer>>>,
  examples: number,
): Promise<Record<string, Float32Array>> {
  for (const [name, values] of Object.entries(given)) executor.write(name, values);
  executor.setUniform('batch', { examples, step: 0, seed: 1, training: 1 });
  executor.run(plan.calls, examples);
  const read: Record<string, Float32Array> = {};
  for (const [name, { length }] of Object.entries(given)) read[name] = await executor.read(name, 0, length);
  return read;
}

/** Values between ±2; what stands for a deviation's inverse must be no less than 0, which nothing here minds. */
function drawn(sizes: Readonly<Record<string, number>>, seed: number) {
  const numbers = seededNumbers(seed);
  return Object.fromEntries(
    Object.entries(sizes).map(([name, length]) => [
      name,
      Float32Array.from({ length }, () => 4 * numbers.next() - 2),
    ]),
  );
}

function expectAlike(actual: Float32Array, expected: Float32Array, what: string): void {
  const largest = expected.reduce(
    (most, value) => (Number.isFinite(value) ? Math.max(most, Math.abs(value)) : most),
    1e-3,
  );
  const wrong = expected.findIndex((value, i) => {
    const found = actual[i]!;
    if (!Number.isFinite(value) || !Number.isFinite(found))
      return Number.isFinite(value) !== Number.isFinite(found);
    return Math.abs(found - value) > 1e-5 * largest;
  });
  expect(wrong, `${what}[${wrong}] is ${actual[wrong]}, not ${expected[wrong]}`).toBe(-1);
}

async function compare(each: OpCase, isPoisoned: boolean): Promise<void> {
  const { maxExamples, adapter = 'software', buffers, examples = maxExamples, poisoned } = each;
  const plan = each.plan({ layer: 'op', maxExamples, adapter, workspace: 'workspace' });
  const program = programOf(plan, buffers);
  const given = drawn(buffers, 1 + maxExamples);
  if (isPoisoned) {
    const values = given[poisoned!]!;
    [NaN, Infinity, -Infinity].forEach((value, k) => {
      values[Math.floor((k * values.length) / 7)] = value;
    });
  }
  const processor = createCpuExecutor(program);
  const device = await createWebgpuExecutor(gpu, program, { pipelines });
  const expected = await results(processor, plan, given, examples);
  const actual = await results(device, plan, given, examples);
  for (const name of Object.keys(buffers)) expectAlike(actual[name]!, expected[name]!, name);
  // A test that changes nothing tests nothing.
  expect(
    Object.keys(buffers).some((name) => expected[name]!.some((value, i) => value !== given[name]![i])),
  ).toBe(true);
  await Promise.all([processor.close(), device.close()]);
}

it.each(opCases.map((each) => [each.title, each] as const))('%s is as on the processor', async (_, each) => {
  await compare(each, false);
  if (each.poisoned !== undefined) await compare(each, true);
});
