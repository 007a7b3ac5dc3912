import { afterEach, describe, expect, it, vi } from 'vitest';
import { processorName } from '../../../client/runtime/deviceChoice.ts';
import { openCpuTreeDevice } from '../../../kernels/gbdt/devices/openCpuDevice.ts';
import { MERGE, MERGED_DOUBLES } from '../../../kernels/wasm/assembly/trees/kernelNumbers.ts';
import { treesModule } from '../../../kernels/wasm/built/trees.ts';
import { hasSimd } from '../../../kernels/wasm/compiledModule.ts';
import { WasmRuntime, oneThread } from '../../../kernels/wasm/wasmRuntime.ts';
import { jobThreads } from '../../setup/jobThreads.ts';
import { specOf } from '../gbdt/scenarios.ts';

afterEach(() => vi.unstubAllGlobals());

describe('jobs of several tasks', () => {
  it('have each task done once, whoever does it, ten thousand jobs long', async () => {
    const runtime = await WasmRuntime.open(treesModule, jobThreads(4));
    const { heap } = runtime;
    const doubles = 3 * MERGED_DOUBLES + 2;
    const sum = heap.allocate(8 * doubles).at;
    const one = heap.allocate(8 * doubles).at;
    const list = heap.allocate(4).at;
    const parameters = heap.allocate(16).at;
    heap.view('f64', sum, doubles).fill(0);
    heap.view('f64', one, doubles).fill(1);
    heap.view('u32', list, 1)[0] = one;
    heap.view('u32', parameters, 4).set([sum, doubles, list, 1]);
    const jobs = 10_000;
    for (let job = 0; job < jobs; job += 1) runtime.run(MERGE, parameters, 4);
    expect(heap.view('f64', sum, doubles).every((value) => value === jobs)).toBe(true);
    runtime.close();
  });

  it('go on with one thread where there are no others, and say why', async () => {
    const onMissing = vi.fn();
    const startThread = () => Promise.reject(new Error('no threads here'));
    const runtime = await WasmRuntime.open(treesModule, {
      threads: 3,
      startThread,
      startAfterMs: 0,
      onMissing,
    });
    expect(onMissing).toHaveBeenCalledExactlyOnceWith('Error: no threads here');
    const parameters = runtime.heap.allocate(16).at;
    const cells = runtime.heap.allocate(16).at;
    runtime.heap.view('u32', parameters, 4).set([cells, 2, cells, 0]);
    runtime.run(MERGE, parameters, 1);
    runtime.close();
  });

  it('start no thread for work that one does sooner', async () => {
    const startThread = vi.fn(() => Promise.reject(new Error('not wanted')));
    const runtime = await WasmRuntime.open(treesModule, { threads: 3, startThread });
    const parameters = runtime.heap.allocate(16).at;
    runtime.heap.view('u32', parameters, 4).fill(0);
    runtime.run(MERGE, parameters, 1);
    expect(startThread).not.toHaveBeenCalled();
    runtime.close();
  });
});

describe('an engine without WebAssembly SIMD', () => {
  it('computes in plain JavaScript, and says so', async () => {
    expect(hasSimd()).toBe(true);
    vi.stubGlobal('WebAssembly', { validate: () => false });
    expect(hasSimd()).toBe(false);
    expect(processorName(8)).toBe('JavaScript: this engine has no WebAssembly SIMD');
    const device = await openCpuTreeDevice(
      specOf({ title: 'plain', seed: 1, slots: [3], blocks: [1] }),
      oneThread,
    );
    expect(device.description).toEqual({ kind: 'cpu', name: 'JavaScript' });
    await device.close();
  });
});
