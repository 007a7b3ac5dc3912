// Ops with their gradients: plans that run one after another, forward and backward, for the derivative of a number that comes
// of the forward ones.

import type { KernelPlan } from '../../../../kernels/neural/kernelCall.ts';
import { activationFormulas, elementwiseActivations } from '../../../../kernels/neural/ops/activations.ts';
import {
  batchNormApply,
  batchNormGradientSums,
  batchNormInputGradient,
} from '../../../../kernels/neural/ops/batchNorm.ts';
import { batchNormStatistics } from '../../../../kernels/neural/ops/batchNormStatistics.ts';
import type { ReductionContext } from '../../../../kernels/neural/ops/columnBlocks.ts';
import { directConvolution } from '../../../../kernels/neural/ops/convolutionDirect.ts';
import { copySlice } from '../../../../kernels/neural/ops/copySlice.ts';
import { dropout } from '../../../../kernels/neural/ops/dropout.ts';
import { elementwise } from '../../../../kernels/neural/ops/elementwise.ts';
import { embedding, embeddingGradient } from '../../../../kernels/neural/ops/embedding.ts';
import {
  layerNorm,
  layerNormInputGradient,
  layerNormWeightGradients,
} from '../../../../kernels/neural/ops/layerNorm.ts';
import { loss } from '../../../../kernels/neural/ops/loss.ts';
import { pool, poolGradient } from '../../../../kernels/neural/ops/pooling.ts';
import { shiftImage } from '../../../../kernels/neural/ops/shiftImage.ts';
import { softmax, softmaxGradient } from '../../../../kernels/neural/ops/softmax.ts';
import { upSample, upSampleGradient } from '../../../../kernels/neural/ops/upSample.ts';
import { convolutionCases, groupedCases } from '../product/convolutionCases.ts';
import { poolShapes } from './imageCases.ts';
import { lossForms, outputSpec, targetSpec } from './lossCases.ts';
import type { BufferSpec } from './opCase.ts';

export interface GradientCase {
  readonly title: string;
  readonly maxExamples: number;
  readonly buffers: Readonly<Record<string, BufferSpec>>;
  readonly plans: (context: ReductionContext) => readonly KernelPlan[];
  /** The variables, each with the buffer that its gradient is added to, from zeros. */
  readonly gradients: Readonly<Record<string, string>>;
  /**
   * What is differentiated: Σ output · weights, both names of buffers; or the sum over the first of every `columns` elements. A
   * backward plan that works in place turns the weights into a gradient.
   */
  readonly of: {
    readonly output: string;
    readonly weights?: string;
    readonly columns?: number;
    readonly scale?: number;
  };
}

const EXAMPLES = 3;
const pixels = ({ height, width }: { height: number; width: number }): number => height * width;

/** y from x, and dx from dy: most ops. */
function simple(
  title: string,
  sizes: { readonly x: number; readonly y: number },
  more: Readonly<Record<string, BufferSpec>>,
  plans: GradientCase['plans'],
): GradientCase {
  return {
    title,
    maxExamples: EXAMPLES,
    buffers: { x: sizes.x, y: sizes.y, dy: sizes.y, dx: sizes.x, ...more },
    plans,
    gradients: { x: 'dx' },
    of: { output: 'y', weights: 'dy' },
  };
}

/** The backward plan turns dy into dx in place. */
function inPlace(
  title: string,
  length: number,
  more: Readonly<Record<string, BufferSpec>>,
  plans: GradientCase['plans'],
  gradients: Readonly<Record<string, string>> = {},
): GradientCase {
  return {
    title,
    maxExamples: EXAMPLES,
    buffers: { x: length, y: length, dy: length, ...more },
    plans,
    gradients: { x: 'dy', ...gradients },
    of: { output: 'y', weights: 'dy' },
  };
}

const activations = elementwiseActivations.map((name) => {
  const { forward, backward } = activationFormulas(name, 0.3);
  return inPlace(name, 3 * 65, {}, (context) => [
    elementwise(context, 'forward', forward, 65, { x: 'x', result: 'y' }),
    elementwise(context, 'backward', backward, 65, {
      ...Object.fromEntries(backward.reads.map((read) => [read, read])),
      result: 'dy',
    }),
  ]);
});

const pools = poolShapes.flatMap((shape) =>
  (['average', 'max'] as const).map((kind) => {
    const { input, output, channels } = shape;
    const sizes = { x: EXAMPLES * pixels(input) * channels, y: EXAMPLES * pixels(output) * channels };
    const winners = kind === 'max' ? { winners: 'winners' } : {};
    return simple(
      `${kind} pooling of ${input.height}×${input.width}×${channels}`,
      sizes,
      kind === 'max' ? { winners: { length: sizes.y, type: 'u32', below: 1 } } : {},
      (context) => [
        pool(context, kind, shape, { input: 'x', output: 'y', ...winners }),
        poolGradient(context, kind, shape, { gradient: 'dy', output: 'dx', ...winners }, true),
      ],
    );
  }),
);

const upSamples = (['bilinear', 'nearest'] as const).map((interpolation) => {
  const shape = {
    input: { height: 3, width: 2 },
    factor: { height: 2, width: 3 },
    channels: 5,
    interpolation,
  };
  return simple(`${interpolation} up-sampling`, { x: EXAMPLES * 30, y: EXAMPLES * 180 }, {}, (context) => [
    upSample(context, shape, { input: 'x', output: 'y' }),
    upSampleGradient(context, shape, { gradient: 'dy', output: 'dx' }, true),
  ]);
});

const small = { height: 3, width: 4 };
const large = { height: 6, width: 5 };
const padding = simple('zero padding', { x: EXAMPLES * 36, y: EXAMPLES * 90 }, {}, (context) => [
  shiftImage(
    context,
    'forward',
    { input: small, output: large, channels: 3, down: 2, right: 1 },
    { input: 'x', output: 'y' },
    false,
  ),
  shiftImage(
    context,
    'backward',
    { input: large, output: small, channels: 3, down: -2, right: -1 },
    { input: 'dy', output: 'dx' },
    true,
  ),
]);

const part = {
  rowsPerExample: 5,
  length: 7,
  inputStride: 7,
  inputOffset: 0,
  outputStride: 20,
  outputOffset: 13,
};
const whole = { ...part, inputStride: 20, inputOffset: 13, outputStride: 7, outputOffset: 0 };
const concatenation: GradientCase = simple(
  'a part of a concatenation',
  { x: EXAMPLES * 35, y: EXAMPLES * 100 },
  {},
  (context) => [
    copySlice(context, 'forward', part, { input: 'x', output: 'y' }, false),
    copySlice(context, 'backward', whole, { input: 'dy', output: 'dx' }, true),
  ],
);

const tableShape = { length: 20, vocabulary: 7, width: 9 };
const table: GradientCase = {
  title: 'an embedding',
  maxExamples: EXAMPLES,
  buffers: {
    indices: { length: EXAMPLES * 20, type: 'i32', below: 7 },
    table: 63,
    dTable: 63,
    y: EXAMPLES * 180,
    dy: EXAMPLES * 180,
  },
  plans: (context) => [
    embedding(context, tableShape, { indices: 'indices', table: 'table', output: 'y' }),
    embeddingGradient(context, tableShape, {
      indices: 'indices',
      outputGradient: 'dy',
      tableGradient: 'dTable',
    }),
  ],
  gradients: { table: 'dTable' },
  of: { output: 'y', weights: 'dy' },
};

const dropShape = { length: 65, rate: 0.4, salt: 3 };
const drop = inPlace(
  'dropout',
  EXAMPLES * 65,
  { ids: { length: EXAMPLES, type: 'u32', below: 1000 } },
  (context) => [
    dropout(context, 'forward', dropShape, { input: 'x', exampleIds: 'ids', output: 'y' }),
    dropout(context, 'backward', dropShape, { exampleIds: 'ids', output: 'dy' }),
  ],
);

const rowShape = { rowsPerExample: 2, length: 13 };
const rowForm = { ...rowShape, epsilon: 1e-3, gamma: true, beta: true };
const rowNames = {
  input: 'x',
  output: 'y',
  means: 'means',
  inverses: 'inverses',
  gamma: 'gamma',
  beta: 'beta',
};
const rows = [
  inPlace('softmax', EXAMPLES * 26, {}, (context) => [
    softmax(context, rowShape, { input: 'x', output: 'y' }),
    softmaxGradient(context, rowShape, { y: 'y', gradient: 'dy' }),
  ]),
  inPlace(
    'layer norm',
    EXAMPLES * 26,
    { means: 6, inverses: 6, gamma: 13, beta: 13, dGamma: 13, dBeta: 13 },
    (context) => [
      layerNorm(context, rowForm, rowNames),
      layerNormWeightGradients(context, rowForm, rowNames, 'dy', { gamma: 'dGamma', beta: 'dBeta' }),
      layerNormInputGradient(context, rowForm, rowNames, 'dy'),
    ],
    { gamma: 'dGamma', beta: 'dBeta' },
  ),
];

const normShape = { channels: 5, rowsPerExample: 7, epsilon: 1e-3 };
const normForm = { gamma: true, beta: true, residual: false, relu: true };
const norm = inPlace(
  'batch norm with relu',
  EXAMPLES * 35,
  {
    moments: 10,
    meanSum: 5,
    varianceSum: 5,
    sums: 15,
    gamma: 5,
    beta: 5,
    dGamma: 5,
    dBeta: 5,
  },
  (context) => [
    batchNormStatistics(
      context,
      normShape,
      { input: 'x', moments: 'moments', meanSum: 'meanSum', varianceSum: 'varianceSum' },
      false,
    ),
    batchNormApply(context, normForm, normShape, {
      input: 'x',
      output: 'y',
      moments: 'moments',
      gamma: 'gamma',
      beta: 'beta',
    }),
    batchNormGradientSums(context, normForm, normShape, {
      x: 'x',
      y: 'y',
      moments: 'moments',
      gradient: 'dy',
      sums: 'sums',
      gammaGradient: 'dGamma',
      betaGradient: 'dBeta',
    }),
    batchNormInputGradient(
      context,
      normForm,
      normShape,
      { x: 'x', y: 'y', moments: 'moments', sums: 'sums', gamma: 'gamma', gradient: 'dy' },
      'batch',
    ),
  ],
  { gamma: 'dGamma', beta: 'dBeta' },
);

const convolutions = [...convolutionCases.slice(5, 15), ...groupedCases].map(
  ({ title, shape, examples }): GradientCase => {
    const x = examples * shape.inputHeight * shape.inputWidth * shape.inputChannels;
    const y = examples * shape.outputHeight * shape.outputWidth * shape.filters;
    const kernel =
      (shape.kernelHeight * shape.kernelWidth * shape.inputChannels * shape.filters) / shape.groups;
    return {
      title: `a convolution, ${title}`,
      maxExamples: examples,
      buffers: { x, y, kernel, dx: x, dy: y, dKernel: kernel },
      plans: (context) => [
        directConvolution.forward(
          { ...context, shape },
          { input: 'x', kernel: 'kernel', output: 'y' },
          'none',
        ),
        directConvolution.inputGradient(
          { ...context, shape },
          { outputGradient: 'dy', kernel: 'kernel', inputGradient: 'dx' },
          true,
        ),
        directConvolution.weightGradient(
          { ...context, shape },
          { input: 'x', outputGradient: 'dy', kernelGradient: 'dKernel' },
        ),
      ],
      gradients: { x: 'dx', kernel: 'dKernel' },
      of: { output: 'y', weights: 'dy' },
    };
  },
);

/** One class is always right: its cross-entropy has no slope. */
const sloped = lossForms.filter(({ kind, length }) => length > 1 || !kind.startsWith('crossEntropy'));

const losses = sloped.map((form): GradientCase => {
  const { kind, length, rowsPerExample, sparse, metrics } = form;
  const count = EXAMPLES * rowsPerExample;
  return {
    title: `the loss ${kind} of ${rowsPerExample} × ${length}${sparse ? ', classes by number' : ''}`,
    maxExamples: EXAMPLES,
    buffers: {
      output: outputSpec(kind, count * length),
      targets: targetSpec(form),
      gradient: count * length,
      rowTotals: count * (1 + metrics.length),
    },
    plans: (context) => [
      loss(context, form, {
        output: 'output',
        targets: 'targets',
        gradient: 'gradient',
        rowTotals: 'rowTotals',
      }),
    ],
    gradients: { output: 'gradient' },
    of: { output: 'rowTotals', columns: 1 + metrics.length, scale: 1 / rowsPerExample },
  };
});

export const gradientCases: readonly GradientCase[] = [
  ...activations,
  ...pools,
  ...upSamples,
  padding,
  concatenation,
  table,
  drop,
  ...rows,
  norm,
  ...convolutions,
  ...losses,
];
