// ResNet-18 as the compiler sees it: what a step costs is known before anything runs.

import { describe, expect, it } from 'vitest';
import { createTileChooser } from '../../../kernels/neural/product/chooseTile.ts';
import { createProductConvolutions } from '../../../kernels/neural/product/productConvolutions.ts';
import { compileNet } from '../../../shared/neural/compile/compileNet.ts';
import { memoryReport } from '../../../shared/neural/engine/memoryReport.ts';
import { readModel } from '../../../shared/neural/model/readModel.ts';
import { resnet18 } from '../../../shared/neural/model/resnet18.ts';
import { specOf } from './netData.ts';

/** WebGPU's defaults. */
const limits = { maxBufferBytes: 2 ** 28, maxBindingBytes: 2 ** 27, maxBindings: 8, maxWorkgroups: 65_535 };

function compile(stem: '3x3' | '7x7', microbatchSize: number, given = limits) {
  const model = readModel(resnet18({ stem }));
  if (model.kind !== 'compiled') throw new Error(model.part.reason);
  const spec = specOf(model.graph, {
    loss: { name: 'sparseCategoricalCrossentropy', fromLogits: true },
    metrics: ['accuracy'],
    optimizer: { name: 'sgd', momentum: 0.9, nesterov: false, weightDecay: 0 },
    microbatchSize,
    bucketBytes: 25e6,
  });
  const convolutions = createProductConvolutions(createTileChooser('gpu'));
  const net = compileNet(spec, { limits: given, adapter: 'gpu', convolutions });
  const calls = net.training.flatMap((step) => ('stop' in step ? [] : [step]));
  return { net, calls };
}

describe.each([
  { stem: '7x7', parameters: 11_175_370, gflop: 0.197 },
  { stem: '3x3', parameters: 11_172_810, gflop: 2.734 },
] as const)('ResNet-18 with a $stem stem', ({ stem, parameters, gflop }) => {
  it('computes what its shapes say, in few dispatches, and forgets what it does not need', () => {
    const { net, calls } = compile(stem, 32);
    const statistics = net.layout.slots.filter(({ section }) => section === 'statistics');
    expect(statistics.length).toBe(40);
    const trained = net.layout.slots.filter(({ section }) => section === 'parameters');
    expect(trained.reduce((sum, { length }) => sum + length, 0)).toBe(parameters);
    const products = calls.filter(({ op }) => op.name.startsWith('conv '));
    const flop = products.reduce((sum, { cost }) => sum + cost(32).flop, 0);
    expect(flop / 32 / 1e9).toBeCloseTo(gflop, 2);
    expect(calls.length + net.update.length).toBeLessThan(270);
    // Kernels of equal shapes are one.
    expect(new Set(net.program.calls.map(({ op }) => op.name)).size).toBeLessThan(140);
    const { activations } = memoryReport(net.program, 0);
    const all = calls.filter(({ phase }) => phase === 'forward').map(({ cost }) => cost(32).bytes);
    expect(activations).toBeLessThan(all.reduce((a, b) => a + b, 0));
  });
});

describe('a device with little memory', () => {
  it('is told which layer needs more than it has', () => {
    const small = { ...limits, maxBindingBytes: 2 ** 23 };
    expect(() => compile('3x3', 128, small)).toThrowError(
      expect.objectContaining({
        code: 'NET_TOO_LARGE',
        message: expect.stringMatching(
          /Layer "\w+" needs 25 MiB .* for a microbatch of 128; the device binds 8 MiB\./,
        ),
      }),
    );
  });
});
