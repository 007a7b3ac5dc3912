// Cases of ops on images and on rows by index: pooling, enlarging, moving, copying stretches, tables, dropout; and convolutions.

import { dropout } from '../../../../kernels/neural/ops/dropout.ts';
import { copySlice } from '../../../../kernels/neural/ops/copySlice.ts';
import { directConvolution } from '../../../../kernels/neural/ops/convolutionDirect.ts';
import { addColumns, columnwise, type ColumnwiseFormula } from '../../../../kernels/neural/ops/columnwise.ts';
import { embedding, embeddingGradient } from '../../../../kernels/neural/ops/embedding.ts';
import { findNonFinite } from '../../../../kernels/neural/ops/findNonFinite.ts';
import type { PoolShape } from '../../../../kernels/neural/imageShapes.ts';
import { pool, poolGradient } from '../../../../kernels/neural/ops/pooling.ts';
import { permute } from '../../../../kernels/neural/ops/permute.ts';
import { prelu, preluGradient } from '../../../../kernels/neural/ops/prelu.ts';
import { shiftImage } from '../../../../kernels/neural/ops/shiftImage.ts';
import { upSample, upSampleGradient } from '../../../../kernels/neural/ops/upSample.ts';
import { createProductConvolutions } from '../../../../kernels/neural/product/productConvolutions.ts';
import { convolutionCases, groupedCases } from '../product/convolutionCases.ts';
import { inRegisters } from '../product/inRegisters.ts';
import { plain, type OpCase } from './opCase.ts';

const EXAMPLES = 3;

/** Windows that overlap, leave gaps, reach over edges, or are the whole image; 8 channels are vectors, 5 are not. */
export const poolShapes: readonly PoolShape[] = [
  {
    input: { height: 7, width: 6 },
    output: { height: 4, width: 3 },
    channels: 8,
    window: { height: 3, width: 3 },
    strides: { height: 2, width: 2 },
    padTop: 1,
    padLeft: 1,
  },
  {
    input: { height: 5, width: 9 },
    output: { height: 2, width: 3 },
    channels: 5,
    window: { height: 2, width: 1 },
    strides: { height: 3, width: 4 },
    padTop: 0,
    padLeft: 0,
  },
  {
    input: { height: 4, width: 4 },
    output: { height: 1, width: 1 },
    channels: 65,
    window: { height: 4, width: 4 },
    strides: { height: 1, width: 1 },
    padTop: 0,
    padLeft: 0,
  },
];

const areaOf = ({ height, width }: { height: number; width: number }): number => height * width;

const pools = poolShapes.flatMap((shape) =>
  (['average', 'max'] as const).flatMap((kind): OpCase[] => {
    const [pixels, outputs] = [shape.input, shape.output].map(
      (size) => EXAMPLES * areaOf(size) * shape.channels,
    ) as [number, number];
    const size = `${shape.input.height}×${shape.input.width}×${shape.channels}`;
    const isMax = kind === 'max';
    const winners = { winners: { length: outputs, type: 'u32', below: areaOf(shape.input) } as const };
    const named = isMax ? { winners: 'winners' } : {};
    return [
      plain(
        `${kind} pooling of ${size}`,
        (context) => pool(context, kind, shape, { input: 'x', output: 'y', ...named }),
        { x: pixels, y: outputs, ...(isMax && winners) },
        'x',
      ),
      ...(isMax
        ? [
            plain(
              `max pooling of ${size} that nothing is learned of`,
              (context) => pool(context, 'max', shape, { input: 'x', output: 'y' }),
              { x: pixels, y: outputs },
              'x',
            ),
          ]
        : []),
      plain(
        `the gradient of ${kind} pooling of ${size}`,
        (context) => poolGradient(context, kind, shape, { gradient: 'y', output: 'x', ...named }, isMax),
        { x: pixels, y: outputs, ...(isMax && winners) },
        'y',
      ),
    ];
  }),
);

const [overlapping] = poolShapes;
/** The first of equals wins, everywhere. */
const ties = plain(
  'max pooling of equal pixels',
  (context) => pool(context, 'max', overlapping!, { input: 'x', output: 'y', winners: 'winners' }),
  {
    x: { length: EXAMPLES * 42 * 8, from: 1, to: 1 },
    y: EXAMPLES * 12 * 8,
    winners: { length: EXAMPLES * 12 * 8, type: 'u32', below: 42 },
  },
);

const upSamples = (['bilinear', 'nearest'] as const).flatMap((interpolation) =>
  [4, 3].flatMap((channels): OpCase[] => {
    const shape = {
      input: { height: 3, width: 2 },
      factor: { height: 2, width: 3 },
      channels,
      interpolation,
    };
    const buffers = { x: EXAMPLES * 6 * channels, y: EXAMPLES * 36 * channels };
    return [
      plain(
        `${interpolation} up-sampling of ${channels} channels`,
        (context) => upSample(context, shape, { input: 'x', output: 'y' }),
        buffers,
        'x',
      ),
      plain(
        `the gradient of ${interpolation} up-sampling of ${channels} channels`,
        (context) => upSampleGradient(context, shape, { gradient: 'y', output: 'x' }, true),
        buffers,
      ),
    ];
  }),
);

const shifts = [
  { input: { height: 3, width: 4 }, output: { height: 6, width: 5 }, channels: 4, down: 2, right: 1 },
  { input: { height: 6, width: 5 }, output: { height: 3, width: 4 }, channels: 3, down: -2, right: -1 },
].flatMap((shape) =>
  [false, true].map((accumulate) =>
    plain(
      `moving an image by ${shape.down}, ${shape.right}${accumulate ? ', added' : ''}`,
      (context) => shiftImage(context, 'forward', shape, { input: 'x', output: 'y' }, accumulate),
      {
        x: EXAMPLES * areaOf(shape.input) * shape.channels,
        y: EXAMPLES * areaOf(shape.output) * shape.channels,
      },
      'x',
    ),
  ),
);

const slice = {
  rowsPerExample: 5,
  length: 7,
  inputStride: 9,
  inputOffset: 2,
  outputStride: 20,
  outputOffset: 13,
};
const slices = [false, true].map((accumulate) =>
  plain(
    `copying a stretch of rows${accumulate ? ', added' : ''}`,
    (context) => copySlice(context, 'forward', slice, { input: 'x', output: 'y' }, accumulate),
    { x: EXAMPLES * 45, y: EXAMPLES * 100 },
    'x',
  ),
);

const permutations = [
  { input: [3, 5, 4], axes: [2, 0, 1] },
  { input: [257], axes: [0] },
  { input: [2, 3, 1, 11], axes: [3, 1, 2, 0] },
].flatMap((shape) => {
  const length = EXAMPLES * shape.input.reduce((a, b) => a * b, 1);
  return [false, true].map((accumulate) =>
    plain(
      `the axes of [${shape.input.join(', ')}] as ${shape.axes.join(', ')}${accumulate ? ', added' : ''}`,
      (context) => permute(context, 'forward', shape, { input: 'x', output: 'y' }, accumulate),
      { x: length, y: length },
      'x',
    ),
  );
});

/** Rows of as many columns: 8 are vectors, 63 are not. */
const columnwiseCases = [addColumns, prelu, preluGradient].flatMap((formula: ColumnwiseFormula) =>
  [
    { columns: 8, rowsPerExample: 33 },
    { columns: 63, rowsPerExample: 1 },
    { columns: 1, rowsPerExample: 65 },
  ].map((shape) => {
    const length = EXAMPLES * shape.columns * shape.rowsPerExample;
    return plain(
      `${formula.name} over ${shape.rowsPerExample} × ${shape.columns}`,
      (context) =>
        columnwise(context, 'forward', formula, shape, {
          table: 'table',
          ...(formula.readsX && { x: 'x' }),
          result: 'y',
        }),
      { table: shape.columns, ...(formula.readsX && { x: length }), y: length },
      formula.readsX ? 'x' : 'y',
    );
  }),
);

/** More indices than rows: some come again. */
const tables = [1, 65].flatMap((width): OpCase[] => {
  const shape = { length: 30, vocabulary: 7, width };
  const indices = { length: EXAMPLES * 30, type: 'i32', below: 7 } as const;
  const elements = EXAMPLES * 30 * width;
  return [
    plain(
      `an embedding of ${width}`,
      (context) => embedding(context, shape, { indices: 'indices', table: 'table', output: 'y' }),
      { indices, table: 7 * width, y: elements },
      'table',
    ),
    plain(
      `the gradient of an embedding of ${width}`,
      (context) =>
        embeddingGradient(context, shape, {
          indices: 'indices',
          outputGradient: 'y',
          tableGradient: 'table',
        }),
      { indices, table: 7 * width, y: elements },
      'y',
    ),
  ];
});

const drops = [0, 0.3, 0.999].flatMap((rate): OpCase[] => {
  const shape = { length: 257, rate, salt: 5 };
  const exampleIds = { length: EXAMPLES, type: 'u32', below: 2 ** 31 } as const;
  const forward = plain(
    `dropout of ${rate}`,
    (context) => dropout(context, 'forward', shape, { input: 'x', exampleIds: 'ids', output: 'y' }),
    { x: EXAMPLES * 257, y: EXAMPLES * 257, ids: exampleIds },
    'x',
  );
  if (rate === 0) return [forward];
  return [
    forward,
    { ...forward, title: `dropout of ${rate} in evaluation`, evaluates: true },
    plain(
      `the gradient of dropout of ${rate}`,
      (context) => dropout(context, 'backward', shape, { exampleIds: 'ids', output: 'y' }),
      { y: EXAMPLES * 257, ids: exampleIds },
      'y',
    ),
  ];
});

const searches = [true, false].map((perExample) =>
  plain(
    `looking for what is not finite, ${perExample ? 'an example' : 'at once'}`,
    (context) => ({
      calls: [findNonFinite(context.layer, 'forward', 'x', { length: 65, perExample }, 'flag')],
      workspaceBytes: 0,
    }),
    { x: EXAMPLES * 65, flag: { length: 1, type: 'u32', below: 1 } },
    'x',
  ),
);

/** Some of those that are compared with the definition in Node: whether other runtimes compute the same. */
const convolutions = [
  {
    each: convolutionCases[6]!,
    kernels: createProductConvolutions({ choose: () => ({ tile: inRegisters, splits: 1 }) }),
  },
  { each: groupedCases[1]!, kernels: directConvolution },
].flatMap(({ each: { title, shape, examples }, kernels }): OpCase[] => {
  const sizes = {
    x: examples * shape.inputHeight * shape.inputWidth * shape.inputChannels,
    kernel: (shape.kernelHeight * shape.kernelWidth * shape.inputChannels * shape.filters) / shape.groups,
    y: examples * shape.outputHeight * shape.outputWidth * shape.filters,
  };
  return [
    {
      title: `a convolution, ${title}`,
      maxExamples: examples,
      plan: (context) =>
        kernels.forward({ ...context, shape }, { input: 'x', kernel: 'kernel', output: 'y' }, 'relu'),
      buffers: sizes,
    },
    {
      title: `the input gradient of a convolution, ${title}`,
      maxExamples: examples,
      plan: (context) =>
        kernels.inputGradient(
          { ...context, shape },
          { outputGradient: 'y', kernel: 'kernel', inputGradient: 'x' },
          true,
        ),
      buffers: sizes,
    },
    {
      title: `the kernel gradient of a convolution, ${title}`,
      maxExamples: examples,
      plan: (context) =>
        kernels.weightGradient(
          { ...context, shape },
          { input: 'x', outputGradient: 'y', kernelGradient: 'kernel' },
        ),
      buffers: sizes,
    },
  ];
});

export const imageCases: readonly OpCase[] = [
  ...pools,
  ties,
  ...upSamples,
  ...shifts,
  ...slices,
  ...permutations,
  ...columnwiseCases,
  ...tables,
  ...drops,
  ...searches,
  ...convolutions,
];
