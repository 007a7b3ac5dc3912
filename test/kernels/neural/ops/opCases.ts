// Ops of the neural kernels one by one, at sizes that no kernel likes: what each factory makes is run by its references
// and on a GPU.

import { activationFormulas, elementwiseActivations } from '../../../../kernels/neural/ops/activations.ts';
import {
  addTo,
  affine,
  copy,
  multiplyBy,
  product,
  scaleBy,
  sum,
} from '../../../../kernels/neural/ops/arithmetic.ts';
import {
  batchNormApply,
  batchNormGradientSums,
  batchNormInputGradient,
} from '../../../../kernels/neural/ops/batchNorm.ts';
import { batchNormStatistics } from '../../../../kernels/neural/ops/batchNormStatistics.ts';
import { columnSums, sumOfRows } from '../../../../kernels/neural/ops/columnSums.ts';
import { elementwise } from '../../../../kernels/neural/ops/elementwise.ts';
import {
  layerNorm,
  layerNormInputGradient,
  layerNormWeightGradients,
} from '../../../../kernels/neural/ops/layerNorm.ts';
import { softmax, softmaxGradient } from '../../../../kernels/neural/ops/softmax.ts';
import type { AdapterClass } from '../../../../kernels/neural/product/chooseTile.ts';
import { imageCases } from './imageCases.ts';
import { lossCases } from './lossCases.ts';
import { plain, type OpCase } from './opCase.ts';

/** Rows and columns: together they have all ways of summing (at once, in blocks; vectors and single columns). */
const matrices: Readonly<
  Record<AdapterClass, readonly (readonly [maxExamples: number, rowsPerExample: number, columns: number])[]>
> = {
  software: [
    [13, 5, 65],
    [9, 257, 8],
    [2, 1, 257],
  ],
  gpu: [
    [1, 1, 1],
    [3, 21, 64],
    [9, 513, 8],
    [2, 1025, 13],
  ],
};

function reductions(adapter: AdapterClass): OpCase[] {
  return matrices[adapter].flatMap(([maxExamples, rowsPerExample, channels]): OpCase[] => {
    const shape = { channels, rowsPerExample, epsilon: 1e-3 };
    const elements = maxExamples * rowsPerExample * channels;
    const examples = Math.ceil(maxExamples / 2);
    const size = `${examples} of ${maxExamples} × ${rowsPerExample} rows of ${channels}, for a ${adapter} adapter`;
    const given = { maxExamples, examples, adapter };
    const form = { gamma: true, beta: true, residual: false, relu: true };
    return [
      {
        title: `batch statistics, ${size}`,
        ...given,
        plan: (context) =>
          batchNormStatistics(
            context,
            shape,
            { input: 'x', moments: 'moments', meanSum: 'meanSum', varianceSum: 'varianceSum' },
            false,
          ),
        buffers: { x: elements, moments: 2 * channels, meanSum: channels, varianceSum: channels },
        poisoned: 'x',
      },
      {
        title: `sums of batch norm's gradient, ${size}`,
        ...given,
        plan: (context) =>
          batchNormGradientSums(context, form, shape, {
            x: 'x',
            y: 'y',
            moments: 'moments',
            gradient: 'gradient',
            sums: 'sums',
            gammaGradient: 'gammaGradient',
            betaGradient: 'betaGradient',
          }),
        buffers: {
          x: elements,
          y: elements,
          gradient: elements,
          moments: 2 * channels,
          sums: 3 * channels,
          gammaGradient: channels,
          betaGradient: channels,
        },
        poisoned: 'x',
      },
    ];
  });
}

const activations = elementwiseActivations.flatMap((name) => {
  const { forward, backward } = activationFormulas(name, 0.2);
  return [name.length % 2 === 0 ? 64 : 65].flatMap((length) => [
    plain(
      `${name} of ${length}`,
      (context) => elementwise(context, 'forward', forward, length, { x: 'x', result: 'result' }),
      { x: 3 * length, result: 3 * length },
      'x',
    ),
    plain(
      `the gradient of ${name} of ${length}`,
      (context) =>
        elementwise(context, 'backward', backward, length, {
          ...Object.fromEntries(backward.reads.map((read) => [read, 'x'])),
          result: 'result',
        }),
      { x: 3 * length, result: 3 * length },
    ),
  ]);
});

const rows = [1, 64, 257].flatMap((length) => {
  const shape = { rowsPerExample: 2, length };
  const form = { ...shape, epsilon: 1e-3, gamma: true, beta: true };
  const elements = 6 * length;
  const saved = { means: 'means', inverses: 'inverses' };
  const weights = { gamma: 'gamma', beta: 'beta' };
  const sizes = { means: 6, inverses: 6, gamma: length, beta: length };
  return [
    plain(
      `softmax of ${length}`,
      (context) => softmax(context, shape, { input: 'x', output: 'y' }),
      { x: elements, y: elements },
      'x',
    ),
    plain(
      `the gradient of softmax of ${length}`,
      (context) => softmaxGradient(context, shape, { y: 'y', gradient: 'gradient' }),
      { y: elements, gradient: elements },
      'gradient',
    ),
    plain(
      `layer norm of ${length}`,
      (context) => layerNorm(context, form, { input: 'x', output: 'y', ...saved, ...weights }),
      { x: elements, y: elements, ...sizes },
      'x',
    ),
    plain(
      `layer norm of ${length} that nothing is learned of`,
      (context) => layerNorm(context, form, { input: 'x', output: 'y', ...weights }),
      { x: elements, y: elements, gamma: length, beta: length },
      'x',
    ),
    plain(
      `the gradient of layer norm of ${length}`,
      (context) =>
        layerNormInputGradient(context, form, { input: 'x', output: 'y', ...saved, ...weights }, 'gradient'),
      { x: elements, gradient: elements, ...sizes },
      'gradient',
    ),
    plain(
      `weight gradients of layer norm of ${length}`,
      (context) =>
        layerNormWeightGradients(
          context,
          form,
          { input: 'x', output: 'y', ...saved, ...weights },
          'gradient',
          weights,
        ),
      { x: elements, gradient: elements, ...sizes },
      'gradient',
    ),
  ];
});

const images = [1, 7, 8].flatMap((channels) => {
  const shape = { channels, rowsPerExample: 9, epsilon: 1e-3 };
  const form = { gamma: true, beta: true, residual: true, relu: true };
  const elements = 27 * channels;
  return [
    plain(
      `batch norm of ${channels} channels`,
      (context) =>
        batchNormApply(context, form, shape, {
          input: 'x',
          output: 'y',
          moments: 'moments',
          gamma: 'gamma',
          beta: 'beta',
          residual: 'residual',
        }),
      {
        x: elements,
        y: elements,
        residual: elements,
        moments: 2 * channels,
        gamma: channels,
        beta: channels,
      },
      'x',
    ),
    ...(['batch', 'moving'] as const).map((from) =>
      plain(
        `the gradient of batch norm of ${channels} channels, statistics: ${from}`,
        (context) =>
          batchNormInputGradient(
            context,
            form,
            shape,
            {
              x: 'x',
              y: 'y',
              moments: 'moments',
              sums: 'sums',
              gamma: 'gamma',
              gradient: 'gradient',
              inputGradient: 'inputGradient',
            },
            from,
          ),
        {
          x: elements,
          y: elements,
          gradient: elements,
          inputGradient: elements,
          moments: 2 * channels,
          sums: 3 * channels,
          gamma: channels,
        },
        'gradient',
      ),
    ),
    plain(
      `the gradient of a bias of ${channels}`,
      (context) =>
        columnSums(context, sumOfRows, channels, 9, { gradient: 'gradient' }, { gradients: ['bias'] }),
      { gradient: elements, bias: channels },
      'gradient',
    ),
  ];
});

const arithmetic = [1, 65, 256].flatMap((length) => [
  plain(
    `adding ${length}`,
    (context) => elementwise(context, 'backward', addTo, length, { a: 'a', result: 'result' }),
    { a: 3 * length, result: 3 * length },
    'a',
  ),
  plain(
    `a product of ${length}`,
    (context) => elementwise(context, 'forward', product, length, { a: 'a', b: 'b', result: 'result' }),
    { a: 3 * length, b: 3 * length, result: 3 * length },
    'a',
  ),
]);

const ofTwo = [sum, multiplyBy, copy, affine(0.3, -2), scaleBy(-1.7)].map((formula) =>
  plain(
    `the formula ${formula.name}`,
    (context) =>
      elementwise(context, 'forward', formula, 63, {
        ...Object.fromEntries(formula.reads.map((read) => [read, read])),
        result: 'result',
      }),
    { a: 189, b: 189, result: 189 },
    'a',
  ),
);

/** Each op with its sizes; a new op's cases go here. */
export const opCases: readonly OpCase[] = [
  ...ofTwo,
  ...arithmetic,
  ...activations,
  ...rows,
  ...images,
  ...reductions('software'),
  ...reductions('gpu'),
  ...imageCases,
  ...lossCases,
];
