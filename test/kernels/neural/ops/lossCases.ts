// Cases of losses with their gradients and metrics, and of update rules.

import type { OptimizerSpec } from '../../../../kernels/neural/optimizer.ts';
import { addTotals, loss } from '../../../../kernels/neural/ops/loss.ts';
import type { LossForm, LossKind } from '../../../../kernels/neural/ops/lossForm.ts';
import { penaltiesLength, penaltyCalls } from '../../../../kernels/neural/ops/penalty.ts';
import { squaresLength, statisticsUpdate, updateCalls } from '../../../../kernels/neural/ops/update.ts';
import { BLOCK_LENGTH, TRAIT_FLOATS, type UpdateForm } from '../../../../kernels/neural/updateForm.ts';
import { plain, type BufferSpec, type OpCase } from './opCase.ts';

const EXAMPLES = 3;
const metrics = ['accuracy', 'meanAbsoluteError', 'meanSquaredError'] as const;

/** Values that the loss is of: logits, or probabilities. */
export function outputSpec(kind: LossKind, length: number): BufferSpec {
  if (kind === 'binary') return { length, from: 0.02, to: 0.98 };
  return kind === 'crossEntropy' ? { length, from: 0.05, to: 1 } : length;
}

export function targetSpec({ sparse, kind, length, rowsPerExample }: LossForm): BufferSpec {
  const rows = EXAMPLES * rowsPerExample;
  if (sparse) return { length: rows, type: 'i32', below: length };
  return kind === 'squared' ? rows * length : { length: rows * length, from: 0, to: 1 };
}

export const lossForms: readonly LossForm[] = (
  ['binary', 'binaryLogits', 'crossEntropy', 'crossEntropyLogits', 'squared'] as const
).flatMap((kind) =>
  [1, 10, 65].flatMap((length) =>
    (kind.startsWith('crossEntropy') ? [true, false] : [false]).map((sparse) => ({
      kind,
      rowsPerExample: length === 10 ? 4 : 1,
      length,
      sparse,
      metrics,
      accuracyByMaximum: kind.startsWith('crossEntropy'),
    })),
  ),
);

const losses = lossForms.flatMap((form): OpCase[] => {
  const { kind, length, sparse, rowsPerExample } = form;
  const rows = EXAMPLES * rowsPerExample;
  const names = { output: 'output', targets: 'targets', gradient: 'gradient', rowTotals: 'rowTotals' };
  return [
    plain(
      `the loss ${kind} of ${rowsPerExample} × ${length}${sparse ? ', classes by number' : ''}`,
      (context) => loss(context, form, names),
      {
        output: outputSpec(kind, rows * length),
        targets: targetSpec(form),
        gradient: rows * length,
        rowTotals: rows * (1 + metrics.length),
      },
    ),
  ];
});

const totals = plain(
  'adding up rows to totals',
  (context) => addTotals(context, lossForms[1]!, { rowTotals: 'rowTotals', totals: 'totals' }),
  { rowTotals: EXAMPLES * 4 * 4, totals: 4 },
  'rowTotals',
);

const optimizers: readonly OptimizerSpec[] = [
  { name: 'sgd', momentum: 0, nesterov: false, weightDecay: 0 },
  { name: 'sgd', momentum: 0.9, nesterov: false, weightDecay: 0.01 },
  { name: 'sgd', momentum: 0.9, nesterov: true, weightDecay: 0 },
  { name: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01 },
  { name: 'adamw', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01 },
];
/** Plain, cut to a value, scaled to a norm; with penalties and frozen weights and without. */
const limits = [
  { clipNorm: undefined, clipValue: undefined, hasTraits: false },
  { clipNorm: undefined, clipValue: 0.1, hasTraits: true },
  { clipNorm: 0.5, clipValue: undefined, hasTraits: true },
] as const;

/** Two pieces, as of parameters that are too many for one binding. */
const pieces = [BLOCK_LENGTH, 5 * BLOCK_LENGTH];

function updateCase(form: UpdateForm): OpCase {
  const names = ['parameters', 'gradients', 'slot0', 'slot1', 'traits'];
  const of = (length: number, piece: number): Record<string, BufferSpec> => ({
    [`parameters${piece}`]: length,
    [`gradients${piece}`]: length,
    [`slot0${piece}`]: length,
    // Adam's second moments are means of squares.
    [`slot1${piece}`]: { length, from: 0, to: 1 },
    [`traits${piece}`]: { length: (length / BLOCK_LENGTH) * TRAIT_FLOATS, from: 0, to: 1 },
  });
  const { optimizer, clipNorm, clipValue, hasTraits } = form;
  const also = [
    clipNorm === undefined ? '' : ', scaled to a norm',
    clipValue === undefined ? '' : ', cut to a value',
    hasTraits ? ', with penalties' : '',
  ].join('');
  const rule = 'momentum' in optimizer ? `${optimizer.momentum}${optimizer.nesterov ? ' nesterov' : ''}` : '';
  return {
    title: `the update of ${optimizer.name} ${rule}${also}`,
    maxExamples: 1,
    poisoned: 'gradients0',
    plan: () => ({
      calls: updateCalls(
        form,
        pieces.map((length, piece) => ({
          length,
          buffers: Object.fromEntries(names.map((name) => [name, `${name}${piece}`])),
        })),
      ),
      workspaceBytes: 0,
    }),
    buffers: {
      ...Object.assign({}, ...pieces.map((length, piece) => of(length, piece))),
      norm: 1,
      squares: squaresLength(pieces.length),
    },
    update: {
      learningRate: 0.05,
      gradientScale: 0.25,
      correction1: 0.19,
      correction2: 0.002,
      statisticsScale: 0.5,
    },
  };
}

/** Two pieces, one of them of more parameters than the lanes of all workgroups see at once. */
const penalized = [3 * BLOCK_LENGTH, 2 ** 16 + BLOCK_LENGTH];

const penalties: OpCase = {
  title: 'the penalties of weights',
  maxExamples: 1,
  poisoned: 'parameters0',
  plan: () => ({
    calls: penaltyCalls(
      penalized.map((length, piece) => ({
        length,
        buffers: { parameters: `parameters${piece}`, traits: `traits${piece}` },
      })),
      2,
    ),
    workspaceBytes: 0,
  }),
  buffers: {
    ...Object.fromEntries(
      penalized.flatMap((length, piece): [string, BufferSpec][] => [
        [`parameters${piece}`, length],
        [`traits${piece}`, { length: (length / BLOCK_LENGTH) * TRAIT_FLOATS, from: 0, to: 1 }],
      ]),
    ),
    penalties: penaltiesLength(penalized.length),
    totals: 3,
  },
};

const statistics: OpCase = {
  title: 'the update of moving statistics',
  maxExamples: 1,
  plan: () => ({ calls: [statisticsUpdate(64)], workspaceBytes: 0 }),
  buffers: { statistics: 64, statisticsSums: 64, momentums: { length: 64, from: 0, to: 1 } },
  update: { learningRate: 1, gradientScale: 1, correction1: 1, correction2: 1, statisticsScale: 0.5 },
};

export const lossCases: readonly OpCase[] = [
  ...losses,
  totals,
  ...optimizers.flatMap((optimizer) => limits.map((limit) => updateCase({ optimizer, ...limit }))),
  statistics,
  penalties,
];
