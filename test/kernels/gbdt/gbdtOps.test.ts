// Every op against its own CPU reference, number by number.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GpuRunner, type BoundBuffer } from '../../../kernels/gpu/gpuRunner.ts';
import type { Op, OpInputs } from '../../../kernels/gpu/op.ts';
import { groupsFor } from '../../../kernels/gpu/op.ts';
import { gbdtOps } from '../../../kernels/gbdt/ops/gbdtOps.ts';
import { openNodeGpuDevice } from '../../setup/nodeGpu.ts';
import type { OpCase } from './opCases.ts';
import { opCases } from './opCases.ts';

/** What the op leaves in its read_write arrays, by binding name. */
async function runOnGpu(runner: GpuRunner, op: Op, inputs: OpCase): Promise<Record<string, Int32Array>> {
  const arrays: Record<string, GPUBuffer> = {};
  for (const [name, array] of Object.entries(inputs.storage))
    arrays[name] = runner.upload(name, array.slice());
  const buffers: Record<string, BoundBuffer> = { ...arrays };
  for (const [name, values] of Object.entries(inputs.uniforms)) {
    buffers[name] = runner.uploadUniformOnce(op, name, values);
  }
  runner.dispatch(op, buffers, typeof inputs.grid === 'number' ? groupsFor(op, inputs.grid) : inputs.grid);
  const results: Record<string, Int32Array> = {};
  const written = op.storage.filter(({ access }) => access === 'read_write');
  for (const { name } of written) {
    const array = arrays[name]!;
    results[name] = new Int32Array(await runner.read(array, array.size));
  }
  for (const array of Object.values(arrays)) runner.tracker.destroy(array);
  return results;
}

function runReference(op: Op, { storage, uniforms }: OpInputs): Record<string, Int32Array> {
  const copies = Object.fromEntries(Object.entries(storage).map(([name, array]) => [name, array.slice()]));
  op.reference({ storage: copies, uniforms });
  const written = op.storage.filter(({ access }) => access === 'read_write');
  return Object.fromEntries(written.map(({ name }) => [name, new Int32Array(copies[name]!.buffer)]));
}

let gpu: GPUDevice;
let runner: GpuRunner;
beforeAll(async () => {
  gpu = await openNodeGpuDevice();
  runner = new GpuRunner(gpu);
  await runner.compile(gbdtOps);
});
afterAll(() => {
  runner.close();
  gpu.destroy();
  expect(runner.tracker.liveBytes).toBe(0);
});

describe.each(gbdtOps.map((op) => [op.name, op] as const))('%s', (name, op) => {
  it.each(opCases(name).map((inputs) => [inputs.title, inputs] as const))(
    'equals its reference with %s',
    async (_, inputs) => {
      const before = Object.fromEntries(
        Object.entries(inputs.storage).map(([key, array]) => [key, new Int32Array(array.buffer)]),
      );
      const expected = runReference(op, inputs);
      const actual = await runOnGpu(runner, op, inputs);
      expect(actual).toEqual(expected);
      // A kernel that does nothing would leave the arrays as they were.
      if (inputs.uniforms['block']?.['rows'] !== 1)
        expect(expected).not.toEqual(
          Object.fromEntries(Object.keys(expected).map((key) => [key, before[key]])),
        );
    },
  );
});
