// Runs a plan's dispatches on a GPU, or its references, with buffers by name.

import type { BoundBuffer, GpuRunner } from '../../../../kernels/gpu/gpuRunner.ts';
import type { KernelPlan } from '../../../../kernels/neural/kernelCall.ts';
import { batchUniform } from '../../../../kernels/neural/kernelCall.ts';

type Arrays = Readonly<Record<string, Float32Array<ArrayBuffer>>>;

function batchOf(examples: number): Record<string, number> {
  return { examples, step: 0, seed: 0, training: 1 };
}

/** `workspace` is added, full of `fill`. Answers with the content of the buffer `result`. */
export async function runPlan(
  runner: GpuRunner,
  plan: KernelPlan,
  given: {
    readonly arrays: Arrays;
    readonly examples: number;
    readonly result: string;
    readonly fill?: number;
  },
): Promise<Float32Array> {
  const { arrays, examples, result, fill = NaN } = given;
  await runner.compile(plan.calls.map(({ op }) => op));
  const buffers: Record<string, GPUBuffer> = {
    workspace: runner.upload('workspace', new Float32Array(plan.workspaceBytes / 4).fill(fill)),
  };
  for (const [name, array] of Object.entries(arrays)) buffers[name] = runner.upload(name, array);
  for (const call of plan.calls) {
    const bound: Record<string, BoundBuffer> = {};
    for (const [binding, name] of Object.entries(call.buffers)) bound[binding] = buffers[name]!;
    if (call.op.uniforms.includes(batchUniform)) {
      bound['batch'] = runner.uploadUniformOnce(call.op, 'batch', batchOf(examples));
    }
    runner.dispatch(call.op, bound, call.groups(examples));
  }
  const buffer = buffers[result]!;
  const values = new Float32Array(await runner.read(buffer, buffer.size));
  for (const each of Object.values(buffers)) runner.tracker.destroy(each);
  return values;
}

/** The same by the ops' references. */
export function runReferences(
  plan: KernelPlan,
  given: { readonly arrays: Arrays; readonly examples: number; readonly result: string },
): Float32Array {
  const buffers: Record<string, Float32Array<ArrayBuffer>> = {
    workspace: new Float32Array(plan.workspaceBytes / 4),
  };
  for (const [name, array] of Object.entries(given.arrays)) buffers[name] = array.slice();
  for (const { op, buffers: names } of plan.calls) {
    const storage = Object.fromEntries(
      Object.entries(names).map(([binding, name]) => [binding, buffers[name]!]),
    );
    op.reference({ storage, uniforms: { batch: batchOf(given.examples) } });
  }
  return buffers[given.result]!;
}
