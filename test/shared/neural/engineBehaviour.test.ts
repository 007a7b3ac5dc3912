// What the compiled engine does beside plain steps: batch statistics over members, clipping, and finding what went wrong.

import { describe, expect, it } from 'vitest';
import { createTrainingEngine } from '../../../shared/neural/engine/createTrainingEngine.ts';
import type { EngineSpec, Microbatch } from '../../../shared/neural/trainingEngine.ts';
import { drawBatch, drawState, readReduction, relativeDifference } from './netData.ts';
import { netCases } from './nets.ts';

const [residual] = netCases;
const spec = residual!.spec;

async function open(given: EngineSpec) {
  const engine = await createTrainingEngine(given, { device: 'cpu' });
  const state = drawState(engine.layout, 3);
  engine.write('parameters', state.parameters);
  engine.write('statistics', state.statistics);
  return { engine, ...state };
}

function part(batch: Microbatch, from: number, to: number): Microbatch {
  const cut = <T extends { length: number; slice(a: number, b: number): T }>(values: T): T => {
    const each = values.length / batch.examples;
    return values.slice(from * each, to * each);
  };
  return {
    ...batch,
    examples: to - from,
    inputs: batch.inputs.map((values) => (values instanceof Int32Array ? cut(values) : cut(values))),
    targets: batch.targets instanceof Int32Array ? cut(batch.targets) : cut(batch.targets),
    exampleIds: cut(batch.exampleIds),
  };
}

/** Adds up what two members bring, once both have. */
function twoMemberSum(): (values: Float32Array) => Promise<void> {
  let waiting: { values: Float32Array; done: () => void } | undefined;
  return (values) => {
    if (waiting === undefined) return new Promise((done) => (waiting = { values, done }));
    const other = waiting;
    waiting = undefined;
    values.forEach((value, i) => {
      values[i] = other.values[i] = other.values[i]! + value;
    });
    other.done();
    return Promise.resolve();
  };
}

describe('the compiled engine', () => {
  it('has with synchronised batch norm on two members the gradients of the whole batch on one', async () => {
    const batch = drawBatch(spec, 4, 5);
    const alone = await open(spec);
    await alone.engine.accumulate(batch, { isLast: false });
    const whole = await readReduction(alone.engine);
    const reduceStatistics = twoMemberSum();
    const members = await Promise.all([1, 2].map(() => open({ ...spec, syncBatchNorm: true })));
    await Promise.all([
      members[0]!.engine.accumulate(part(batch, 0, 1), { isLast: true, reduceStatistics }),
      members[1]!.engine.accumulate(part(batch, 1, 4), { isLast: true, reduceStatistics }),
    ]);
    const [first, second] = await Promise.all(members.map(({ engine }) => readReduction(engine)));
    const { parameters } = alone.engine.layout.lengths;
    const sum = first!.map((value, i) => value + second![i]!);
    expect(relativeDifference(sum.subarray(0, parameters), whole.subarray(0, parameters))).toBeLessThan(1e-4);
    // Statistics are those of all, on each.
    expect(relativeDifference(first!.subarray(parameters), whole.subarray(parameters))).toBeLessThan(1e-5);
  });

  it('cuts the gradient to its norm over all weights', async () => {
    const { engine, parameters } = await open({ ...spec, clipNorm: 0.5 });
    await engine.accumulate(drawBatch(spec, 4, 5), { isLast: false });
    const gradients = (await readReduction(engine)).subarray(0, parameters.length);
    const norm = Math.hypot(...gradients) / 4;
    expect(norm).toBeGreaterThan(0.5);
    engine.update({ learningRate: 1, step: 0, examples: 4, microbatches: 1 });
    const after = await engine.read('parameters');
    const expected = parameters.map((value, i) => value - (gradients[i]! / 4) * (0.5 / norm));
    expect(relativeDifference(after, expected)).toBeLessThan(1e-5);
    expect((await readReduction(engine)).every((value) => value === 0)).toBe(true);
  });

  it('names the first layer that gave something not finite, and keeps what was accumulated', async () => {
    const { engine, parameters } = await open(spec);
    const batch = drawBatch(spec, 4, 5);
    expect(await engine.findNonFinite(batch)).toBeUndefined();
    const broken = parameters.slice();
    broken[engine.layout.slots.find(({ name }) => name === 'conv2d_2/kernel')!.offset] = Infinity;
    engine.write('parameters', broken);
    expect(await engine.findNonFinite(batch)).toEqual({ layer: 'conv2d_2', phase: 'forward' });
    expect((await readReduction(engine)).every((value) => value === 0)).toBe(true);
    expect((await engine.takeTotals()).loss).toBe(0);
  });

  it('refuses batches that do not fit, before anything is computed', async () => {
    const { engine } = await open(spec);
    const batch = drawBatch(spec, 4, 5);
    const refusals: [Microbatch, string][] = [
      [{ ...batch, targets: Int32Array.of(0, 1, 5, 2) }, 'The class of example 2 is 5; expected 0 to 4.'],
      [{ ...batch, examples: 5 }, 'A batch has 5 examples; expected 0 to 4.'],
      [{ ...batch, inputs: [new Float32Array(3)] }, 'Input "input_1" has 3 values, expected 972.'],
      [{ ...batch, targets: new Float32Array(4) }, 'The target is float32, expected int32.'],
    ];
    for (const [wrong, message] of refusals) {
      await expect(engine.accumulate(wrong, { isLast: false })).rejects.toMatchObject({
        code: 'ENGINE_MISUSE',
        message,
      });
    }
    expect((await engine.takeTotals()).examples).toBe(0);
    await engine.close();
    await expect(engine.read('parameters')).rejects.toMatchObject({ code: 'ENGINE_MISUSE' });
  });
});
