// Runs one convolution's three plans on a GPU and by their references, and says how far they are from the definition.

import type { GpuRunner } from '../../../../kernels/gpu/gpuRunner.ts';
import type { ConvolutionContext, ConvolutionKernels } from '../../../../kernels/neural/convolution.ts';
import type { KernelPlan } from '../../../../kernels/neural/kernelCall.ts';
import { seededNumbers } from '../../seededNumbers.ts';
import type { ConvolutionCase } from './convolutionCases.ts';
import { plainConvolution } from './plainConvolution.ts';
import { runPlan, runReferences } from './runPlan.ts';

/** Largest difference, each in units of the sum of the absolute values of the terms. */
function difference(
  actual: Float32Array,
  expected: (i: number) => number,
  scale: (i: number) => number,
): number {
  let most = 0;
  actual.forEach((value, i) => {
    const off = Math.abs(value - expected(i)) / Math.max(scale(i), 1);
    most = Number.isNaN(off) ? NaN : Math.max(most, off);
  });
  return most;
}

/** Of the GPU and of the references, for output (with bias and ReLU), and both gradients (added to what was there). */
export async function checkConvolution(
  runner: GpuRunner,
  { shape, examples }: ConvolutionCase,
  kernels: ConvolutionKernels,
  options: { readonly references?: boolean } = {},
): Promise<Record<string, number>> {
  const random = seededNumbers(7);
  const numbers = (count: number) => Float32Array.from({ length: count }, () => 2 * random.next() - 1);
  const input = numbers(examples * shape.inputHeight * shape.inputWidth * shape.inputChannels);
  const groupChannels = shape.inputChannels / shape.groups;
  const kernel = numbers(shape.kernelHeight * shape.kernelWidth * groupChannels * shape.filters);
  const outputGradient = numbers(examples * shape.outputHeight * shape.outputWidth * shape.filters);
  const bias = numbers(shape.filters);
  const before = { input: numbers(input.length), kernel: numbers(kernel.length) };
  const plain = plainConvolution(shape, examples, { input, kernel, outputGradient });

  // Room for more examples than there are.
  const context: ConvolutionContext = {
    shape,
    maxExamples: examples + 1,
    layer: 'conv',
    workspace: 'workspace',
  };
  const forward = kernels.forward(
    context,
    { input: 'input', kernel: 'kernel', bias: 'bias', output: 'output' },
    'relu',
  );
  const gradientNames = {
    outputGradient: 'outputGradient',
    kernel: 'kernel',
    inputGradient: 'inputGradient',
  };
  const inputGradient = kernels.inputGradient(context, gradientNames, true);
  const weightGradient = kernels.weightGradient(context, {
    input: 'input',
    outputGradient: 'outputGradient',
    kernelGradient: 'kernelGradient',
  });

  const differences: Record<string, number> = {};
  const compare = async (
    name: string,
    plan: KernelPlan,
    given: { arrays: Record<string, Float32Array<ArrayBuffer>>; result: string },
    expected: (i: number) => number,
    scale: Float64Array,
  ): Promise<void> => {
    const all = { ...given, examples };
    const scaleOf = (i: number) => scale[i]!;
    differences[name] = difference(await runPlan(runner, plan, all), expected, scaleOf);
    if (options.references === false) return;
    differences[`${name} by reference`] = difference(runReferences(plan, all), expected, scaleOf);
  };
  await compare(
    'output',
    forward,
    { arrays: { input, kernel, bias, output: new Float32Array(outputGradient.length) }, result: 'output' },
    (i) => Math.max(0, plain.output[i]! + bias[i % shape.filters]!),
    plain.scale.output,
  );
  await compare(
    'input gradient',
    inputGradient,
    { arrays: { outputGradient, kernel, inputGradient: before.input }, result: 'inputGradient' },
    (i) => before.input[i]! + plain.inputGradient[i]!,
    plain.scale.inputGradient,
  );
  await compare(
    'kernel gradient',
    weightGradient,
    { arrays: { input, outputGradient, kernelGradient: before.kernel }, result: 'kernelGradient' },
    (i) => before.kernel[i]! + plain.kernelGradient[i]!,
    plain.scale.kernelGradient,
  );
  return differences;
}
