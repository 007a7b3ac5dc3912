// Plays one case of an op on a GPU and by its references, and says what differs. Runs in any runtime.

import type { WordArray } from '../../../../kernels/gpu/op.ts';
import type { PipelineCache } from '../../../../kernels/gpu/pipelineCache.ts';
import { createCpuExecutor } from '../../../../kernels/neural/cpuExecutor.ts';
import type { KernelPlan } from '../../../../kernels/neural/kernelCall.ts';
import { batchUniform } from '../../../../kernels/neural/kernelCall.ts';
import { updateUniform } from '../../../../kernels/neural/ops/update.ts';
import type { ElementType, KernelProgram } from '../../../../kernels/neural/program.ts';
import type { ProgramExecutor } from '../../../../kernels/neural/programExecutor.ts';
import { createWebgpuExecutor } from '../../../../kernels/neural/webgpuExecutor.ts';
import { seededNumbers } from '../../seededNumbers.ts';
import type { BufferSpec, OpCase } from './opCase.ts';

const lengthOf = (spec: BufferSpec): number => (typeof spec === 'number' ? spec : spec.length);
const typeOf = (spec: BufferSpec): ElementType =>
  typeof spec === 'object' && 'type' in spec ? spec.type : 'f32';

/** What a buffer holds at the start. */
export function drawn(buffers: OpCase['buffers'], seed: number): Record<string, WordArray> {
  const numbers = seededNumbers(seed);
  const values = (spec: BufferSpec): WordArray => {
    const length = lengthOf(spec);
    if (typeof spec === 'object' && 'type' in spec) {
      const list = Array.from({ length }, () => numbers.below(spec.below));
      return spec.type === 'i32' ? Int32Array.from(list) : Uint32Array.from(list);
    }
    const [from, to] = typeof spec === 'object' ? [spec.from, spec.to] : [-2, 2];
    return Float32Array.from({ length }, () => from + (to - from) * numbers.next());
  };
  return Object.fromEntries(Object.entries(buffers).map(([name, spec]) => [name, values(spec)]));
}

export function programOf(plan: KernelPlan, buffers: OpCase['buffers']): KernelProgram {
  const places = Object.entries({ ...buffers, workspace: Math.max(1, plan.workspaceBytes / 4) });
  return {
    memory: {
      allocations: places.map(([name, spec]) => ({ name, bytes: 4 * lengthOf(spec), kind: 'workspace' })),
      views: Object.fromEntries(
        places.map(([name, spec]) => [
          name,
          { allocation: name, offsetBytes: 0, bytes: 4 * lengthOf(spec), type: typeOf(spec) },
        ]),
      ),
      contents: {},
    },
    uniforms: [batchUniform, updateUniform],
    calls: plan.calls,
  };
}

/** Floats of all buffers after the case was played; whole numbers as the floats that have their bits. */
export async function results(
  executor: ProgramExecutor,
  plan: KernelPlan,
  given: Readonly<Record<string, WordArray>>,
  { examples, maxExamples, update, evaluates }: OpCase,
): Promise<Record<string, Float32Array>> {
  const count = examples ?? maxExamples;
  for (const [name, values] of Object.entries(given)) executor.write(name, values);
  executor.setUniform('batch', { examples: count, step: 3, seed: 1, training: evaluates === true ? 0 : 1 });
  if (update) executor.setUniform('update', update);
  executor.run(plan.calls, count);
  const read: Record<string, Float32Array> = {};
  for (const [name, { length }] of Object.entries(given)) read[name] = await executor.read(name, 0, length);
  return read;
}

function complaintOf(
  name: string,
  actual: Float32Array,
  expected: Float32Array,
  isFloat: boolean,
): string | undefined {
  if (!isFloat) {
    const [a, b] = [actual, expected].map(
      ({ buffer, length }) => new Int32Array(buffer as ArrayBuffer, 0, length),
    );
    const wrong = b!.findIndex((value, i) => a![i] !== value);
    return wrong < 0 ? undefined : `${name}[${wrong}] is ${a![wrong]}, not ${b![wrong]}`;
  }
  const largest = expected.reduce(
    (most, value) => (Number.isFinite(value) ? Math.max(most, Math.abs(value)) : most),
    1e-3,
  );
  const wrong = expected.findIndex((value, i) => {
    const found = actual[i]!;
    // Which of them it is depends on the order of sums.
    if (!Number.isFinite(value) || !Number.isFinite(found))
      return Number.isFinite(value) !== Number.isFinite(found);
    return Math.abs(found - value) > 1e-5 * largest;
  });
  return wrong < 0 ? undefined : `${name}[${wrong}] is ${actual[wrong]}, not ${expected[wrong]}`;
}

/** Puts numbers that are not finite among them. */
export function poison(values: WordArray): void {
  [NaN, Infinity, -Infinity].forEach((value, k) => {
    values[Math.floor((k * values.length) / 7)] = value;
  });
}

/** What is wrong with the GPU's numbers; nothing when all is well. */
export async function playOp(
  gpu: GPUDevice,
  pipelines: PipelineCache,
  each: OpCase,
  isPoisoned: boolean,
): Promise<string[]> {
  const { maxExamples, adapter = 'software', buffers, poisoned } = each;
  const plan = each.plan({ layer: 'op', maxExamples, adapter, workspace: 'workspace' });
  const program = programOf(plan, buffers);
  const given = drawn(buffers, 1 + maxExamples);
  if (isPoisoned) poison(given[poisoned!]!);
  const processor = createCpuExecutor(program);
  const device = await createWebgpuExecutor(gpu, program, { pipelines });
  const expected = await results(processor, plan, given, each);
  const actual = await results(device, plan, given, each);
  await Promise.all([processor.close(), device.close()]);
  const complaints = Object.entries(buffers).flatMap(
    ([name, spec]) => complaintOf(name, actual[name]!, expected[name]!, typeOf(spec) === 'f32') ?? [],
  );
  // A test that changes nothing tests nothing. Where nothing is amiss, nothing is found.
  const isChanged = Object.entries(given).some(([name, values]) => {
    const before = new Int32Array(values.buffer);
    return new Int32Array(expected[name]!.buffer).some((word, i) => word !== before[i]);
  });
  if (!isChanged && !each.title.startsWith('looking')) complaints.push('nothing was changed');
  return complaints;
}
