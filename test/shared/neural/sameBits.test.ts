// Nets train to the same bits by the references, by WebAssembly on one thread, and on several: the steps of honest workers are
// compared exactly.

import { expect, it } from 'vitest';
import { createCpuExecutor, createWasmExecutor } from '../../../kernels/neural/cpuExecutor.ts';
import type { ProgramExecutor } from '../../../kernels/neural/programExecutor.ts';
import { compileNet } from '../../../shared/neural/compile/compileNet.ts';
import { CompiledEngine } from '../../../shared/neural/engine/compiledEngine.ts';
import { compileOptionsOf } from '../../../shared/neural/engine/createExecutor.ts';
import type { EngineSpec } from '../../../shared/neural/trainingEngine.ts';
import { jobThreads } from '../../setup/jobThreads.ts';
import { netCases } from './nets.ts';
import { playSteps } from './playNet.ts';

type Open = (net: ReturnType<typeof compileNet>) => Promise<ProgramExecutor> | ProgramExecutor;

async function played(spec: EngineSpec, open: Open): Promise<number[][]> {
  const net = compileNet(spec, compileOptionsOf('cpu'));
  const executor = await open(net);
  const engine = new CompiledEngine(spec, net, executor, false);
  const seen = await playSteps(engine, spec);
  await engine.close();
  expect(executor.liveBytes).toBe(0);
  return seen.map((values) => [...new Uint32Array(values.slice().buffer)]);
}

it.each(netCases.map(({ title, spec }) => [title, spec] as const))(
  '%s trains to the same bits',
  async (_, spec) => {
    const plain = await played(spec, ({ program }) => createCpuExecutor(program));
    const one = await played(spec, ({ program }) => createWasmExecutor(program));
    const three = await played(spec, ({ program }) => createWasmExecutor(program, {}, jobThreads(3)));
    expect(one).toEqual(plain);
    expect(three).toEqual(plain);
  },
);
