// The kernels of WebAssembly give the bits of the references: honest workers' steps are compared exactly, whatever they run on.

import { describe, expect, it } from 'vitest';
import { createCpuExecutor, createWasmExecutor } from '../../../../kernels/neural/cpuExecutor.ts';
import { opCases } from './opCases.ts';
import type { OpCase } from './opCase.ts';
import { drawn, poison, programOf, results } from './playOp.ts';
import { randomCases } from './randomCases.ts';

/** Where bits differ; which NaN it is does not matter. */
function differences(actual: Float32Array, expected: Float32Array): string[] {
  const [a, b] = [actual, expected].map(
    ({ buffer, length }) => new Int32Array(buffer as ArrayBuffer, 0, length),
  );
  return [...expected.keys()]
    .filter((i) => a![i] !== b![i] && !(Number.isNaN(actual[i]) && Number.isNaN(expected[i])))
    .slice(0, 3)
    .map((i) => `[${i}] is ${actual[i]}, not ${expected[i]}`);
}

async function compare(each: OpCase, isPoisoned: boolean): Promise<string[]> {
  const { maxExamples, adapter = 'software', buffers } = each;
  const plan = each.plan({ layer: 'op', maxExamples, adapter, workspace: 'workspace' });
  const program = programOf(plan, buffers);
  const given = drawn(buffers, 1 + maxExamples);
  if (isPoisoned) poison(given[each.poisoned!]!);
  const plain = createCpuExecutor(program);
  const wasm = await createWasmExecutor(program);
  const expected = await results(plain, plan, given, each);
  const actual = await results(wasm, plan, given, each);
  await Promise.all([plain.close(), wasm.close()]);
  return Object.keys(buffers).flatMap((name) =>
    differences(actual[name]!, expected[name]!).map((text) => `${name}${text}`),
  );
}

describe.each([
  ['cases of ops', opCases],
  ['random shapes', randomCases],
])('%s', (_, cases) => {
  it.each(cases.map((each) => [each.title, each] as const))(
    '%s has the bits of its reference',
    async (__, each) => {
      expect(await compare(each, false)).toEqual([]);
      if (each.poisoned !== undefined) expect(await compare(each, true)).toEqual([]);
    },
  );
});
