// The cpu device by itself, on one core: products and training steps by the plain references, by WebAssembly on one thread and on
// two, by tfjs on its WebAssembly backend and, where python3-torch is installed, by PyTorch on one thread. In turns, the best of
// several rounds; on one thread in processor time, which other programs on the machine disturb less.

import { createCpuExecutor, createWasmExecutor } from '../../../kernels/neural/cpuExecutor.ts';
import { directConvolution } from '../../../kernels/neural/ops/convolutionDirect.ts';
import type { KernelProgram } from '../../../kernels/neural/program.ts';
import type { ProgramExecutor } from '../../../kernels/neural/programExecutor.ts';
import { compileNet } from '../../../shared/neural/compile/compileNet.ts';
import { CompiledEngine } from '../../../shared/neural/engine/compiledEngine.ts';
import { compileOptionsOf } from '../../../shared/neural/engine/createExecutor.ts';
import { seededNumbers } from '../../kernels/seededNumbers.ts';
import { shapeOf } from '../../kernels/neural/product/convolutionCases.ts';
import { programOf } from '../../kernels/neural/ops/playOp.ts';
import { jobThreads } from '../../setup/jobThreads.ts';
import type { Contender } from './contender.ts';
import { compiledSpec, drawnBatch, makeStep, type StepNet, stepNets } from './stepRates.ts';
import { tfjsWasmProduct, tfjsWasmStep } from './tfjsWasmRates.ts';
import { torchRates } from './torchRates.ts';

type Open = (program: KernelProgram) => Promise<ProgramExecutor> | ProgramExecutor;

const devices: Readonly<Record<string, Open>> = {
  references: (program) => createCpuExecutor(program),
  WebAssembly: (program) => createWasmExecutor(program),
  'two threads': (program) => createWasmExecutor(program, {}, jobThreads(2)),
};

function processorSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** Least seconds of each: of the processor where one thread computes, else of the wall. */
async function leastSeconds(
  contenders: Readonly<Record<string, Contender>>,
  rounds: number,
): Promise<Record<string, number>> {
  const least: Record<string, number> = {};
  for (let round = 0; round < rounds + 1; round += 1) {
    for (const [name, { once }] of Object.entries(contenders)) {
      const now = name === 'two threads' ? () => performance.now() / 1000 : processorSeconds;
      const start = now();
      await once();
      // The first compiles.
      if (round > 0 || rounds === 0) least[name] = Math.min(least[name] ?? Infinity, now() - start);
    }
  }
  for (const { close } of Object.values(contenders)) await close();
  return least;
}

async function productContender(open: Open, size: number): Promise<Contender> {
  const shape = shapeOf({ size: [1, 1], channels: [size, size] });
  const context = { shape, maxExamples: size, layer: '', workspace: 'workspace' };
  const plan = directConvolution.forward(context, { input: 'x', kernel: 'w', output: 'y' }, 'none');
  const executor = await open(programOf(plan, { x: size ** 2, w: size ** 2, y: size ** 2 }));
  const random = seededNumbers(1);
  for (const name of ['x', 'w']) {
    executor.write(
      name,
      Float32Array.from({ length: size ** 2 }, () => random.next() - 0.5),
    );
  }
  executor.setUniform('batch', { examples: size, step: 0, seed: 0, training: 1 });
  const once = async (): Promise<void> => {
    executor.run(plan.calls, size);
    await executor.ready();
  };
  return { once, close: () => executor.close() };
}

async function stepContender(open: Open, net: StepNet, examples: number): Promise<Contender> {
  const spec = compiledSpec(net, examples);
  const compiled = compileNet(spec, compileOptionsOf('cpu'));
  const engine = new CompiledEngine(spec, compiled, await open(compiled.program), false);
  const random = seededNumbers(5);
  const { parameters } = engine.layout.lengths;
  engine.write(
    'parameters',
    Float32Array.from({ length: parameters }, () => 0.1 * (random.next() - 0.5)),
  );
  const batch = drawnBatch(examples);
  let step = 0;
  return { once: () => makeStep(engine, batch, step++), close: () => engine.close() };
}

async function contendersOf(
  make: (open: Open) => Promise<Contender>,
  without: readonly string[] = [],
): Promise<Record<string, Contender>> {
  const made: Record<string, Contender> = {};
  for (const [name, open] of Object.entries(devices))
    if (!without.includes(name)) made[name] = await make(open);
  return made;
}

function print(title: string, unit: string, work: number, seconds: Readonly<Record<string, number>>): void {
  const cells = Object.entries(seconds).map(([name, each]) => {
    const rate = work / each;
    return `${name} ${rate < 100 ? rate.toFixed(1) : Math.round(rate).toLocaleString('en')}`;
  });
  console.log(`${title.padEnd(36)}${unit}: ${cells.join(', ')}`);
}

const steps: readonly (readonly [StepNet, number])[] = [
  [stepNets.dense, 128],
  [stepNets.small, 32],
  [stepNets.lesson, 32],
];

/** Prints it. */
export async function printProcessorRates(quick: boolean): Promise<void> {
  const torch = torchRates();
  console.log(`\nOn the processor, without WebGPU${'missing' in torch ? ` (${torch.missing})` : ''}:`);
  for (const size of quick ? [512] : [512, 1024]) {
    const made = await contendersOf((open) => productContender(open, size), size > 512 ? ['references'] : []);
    const seconds = await leastSeconds({ ...made, 'tfjs-wasm': await tfjsWasmProduct(size) }, 30);
    if ('product' in torch) seconds['PyTorch'] = torch.product(size);
    print(`f32 product of ${size}`, 'GFLOP/s', (2 * size ** 3) / 1e9, seconds);
  }
  for (const [net, examples] of quick ? steps.slice(0, 2) : steps) {
    const made = await contendersOf((open) => stepContender(open, net, examples), ['references']);
    const peer = await tfjsWasmStep(net, examples);
    if ('missing' in peer) console.log(`tfjs-wasm does not train ${net.name}: ${peer.missing}`);
    const seconds = await leastSeconds(
      { ...made, ...('once' in peer && { 'tfjs-wasm': peer }) },
      quick ? 5 : 40,
    );
    const plain = await contendersOf(
      (open) => stepContender(open, net, examples),
      ['WebAssembly', 'two threads'],
    );
    const all = { ...(await leastSeconds(plain, 1)), ...seconds };
    if ('step' in torch) all['PyTorch'] = torch.step(net.name, examples);
    print(`${net.name}, batch ${examples}`, 'images/s', examples, all);
  }
}
