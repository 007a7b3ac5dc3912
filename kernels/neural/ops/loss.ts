// Loss, its gradient and metrics in one pass over the output: a workgroup a row (a position of an example). Softmax and
// sigmoid before the loss are part of it, which is faster and keeps extreme logits finite.

import type { Op } from '../../gpu/op.ts';
import type { KernelContext, KernelPlan } from '../kernelCall.ts';
import { batchUniform, examplesOf, floatsOf } from '../kernelCall.ts';
import type { LossForm, LossMetric } from './lossForm.ts';
import { PROBABILITY_MARGIN } from './lossForm.ts';
import { lossReference } from './lossReference.ts';
import { ROW_LANES, rowGroups, rowTreeWgsl, rowWgsl } from './rows.ts';
import { changeFloats, float, readFloats } from './vectors.ts';

interface LossWgsl {
  /** What lanes find out about the row first. */
  readonly prepare: string;
  /** Expression of a value's probability, from `value`. */
  readonly probability: string;
  /** `loss` and `slope` of one value from `value`, `target_` and `p`. */
  readonly each: string;
}

const over = (length: number, body: string): string => `
  if (inside) {
    for (var i = lane; i < ${length}u; i += ${ROW_LANES}u) {
${body}
    }
  }`;

function lossWgsl({ kind, length, sparse }: LossForm): LossWgsl {
  const low = float(PROBABILITY_MARGIN);
  const high = float(1 - PROBABILITY_MARGIN);
  const mean = float(1 / length);
  const targetSum = sparse
    ? 'let targetSum = 1.0f;'
    : `var targetPart = 0.0f;${over(length, '      targetPart += targetOf(first, row, i);')}
  let targetSum = rowSum(lane, targetPart);`;
  switch (kind) {
    case 'crossEntropyLogits':
      return {
        prepare: `
  var most = -3.4e38f;${over(length, '      most = larger(most, output[first + i]);')}
  let top = rowMax(lane, most);
  var part = 0.0f;${over(length, '      part += exp(output[first + i] - top);')}
  let sum = rowSum(lane, part);
  let logSum = log(sum);
  ${targetSum}`,
        probability: 'exp(value - top) / sum',
        each: `let loss = target_ * (logSum - (value - top));
      let slope = p * targetSum - target_;`,
      };
    case 'crossEntropy':
      return {
        prepare: `
  var part = 0.0f;${over(length, '      part += output[first + i];')}
  let sum = rowSum(lane, part);
  var along = 0.0f;${over(
    length,
    `      let p = output[first + i] / sum;
      if (p >= ${low} && p <= ${high}) { along += targetOf(first, row, i); }`,
  )}
  let alongSum = rowSum(lane, along);`,
        probability: 'value / sum',
        each: `let loss = -target_ * log(clamp(p, ${low}, ${high}));
      let slope = (alongSum - select(0.0f, target_ / p, p >= ${low} && p <= ${high})) / sum;`,
      };
    case 'binaryLogits':
      return {
        prepare: '',
        probability: '1.0f / (1.0f + exp(select(-value, 88.0f, value < -88.0f)))',
        each: `let loss = (select(value, 0.0f, value < 0.0f) - value * target_ + log(1.0f + exp(-abs(value)))) * ${mean};
      let slope = (p - target_) * ${mean};`,
      };
    case 'binary':
      return {
        prepare: '',
        probability: 'value',
        each: `let cut = clamp(value, ${low}, ${high});
      let loss = -(target_ * log(cut) + (1.0f - target_) * log(1.0f - cut)) * ${mean};
      let slope = select(0.0f, (cut - target_) / (cut * (1.0f - cut)), value == cut) * ${mean};`,
      };
    case 'squared':
      break;
  }
  return {
    prepare: '',
    probability: 'value',
    each: `let loss = (value - target_) * (value - target_) * ${mean};
    let slope = 2.0f * (value - target_) * ${mean};`,
  };
}

/** `hits`: 1 where the row's largest output is where its largest target is; the first of equals counts. */
function maximumWgsl(form: LossForm): string {
  const { length, sparse } = form;
  const firstOf = (values: string, name: string) => `
  var most${name} = -3.4e38f;${over(length, `      most${name} = larger(most${name}, ${values});`)}
  let top${name} = rowMax(lane, most${name});
  var place${name} = ${length}.0f;${over(length, `      if (${values} == top${name}) { place${name} = min(place${name}, f32(i)); }`)}
  let first${name} = -rowMax(lane, -place${name});`;
  const target = sparse
    ? 'var firstTarget = 0.0f;\n  if (inside) { firstTarget = f32(targets[row]); }'
    : firstOf('targetOf(first, row, i)', 'Target');
  return `${firstOf('output[first + i]', 'Output')}
  ${target}
  let hits = select(0.0f, 1.0f, firstOutput == firstTarget);`;
}

function metricTerm(metric: LossMetric, form: LossForm): string {
  const mean = float(1 / form.length);
  if (metric === 'meanAbsoluteError') return `abs(p - target_) * ${mean}`;
  if (metric === 'meanSquaredError') return `(p - target_) * (p - target_) * ${mean}`;
  return `select(0.0f, ${mean}, (p > 0.5f) == (target_ > 0.5f))`;
}

function lossOp(form: LossForm): Op {
  const { kind, rowsPerExample, length, sparse, metrics } = form;
  const wgsl = lossWgsl(form);
  const columns = 1 + metrics.length;
  const byMaximum = form.accuracyByMaximum && metrics.includes('accuracy');
  const summed = metrics
    .map((metric, k) => ({ metric, k }))
    .filter(({ metric }) => !(byMaximum && metric === 'accuracy'));
  return {
    name: `loss ${kind}[${rowsPerExample}×${length}${sparse ? ' sparse' : ''}; ${metrics.join(',')}${byMaximum ? ' max' : ''}]`,
    storage: [
      readFloats('output'),
      { name: 'targets', type: sparse ? 'array<i32>' : 'array<f32>', access: 'read' },
      changeFloats('gradient'),
      changeFloats('rowTotals'),
    ],
    uniforms: [batchUniform],
    workgroupSize: ROW_LANES,
    declarations: `${rowTreeWgsl}
fn targetOf(first: u32, row: u32, i: u32) -> f32 {
  return ${sparse ? 'select(0.0f, 1.0f, u32(targets[row]) == i)' : 'targets[first + i]'};
}`,
    body: `${rowWgsl(rowsPerExample)}
  let first = row * ${length}u;
${wgsl.prepare}
${byMaximum ? maximumWgsl(form) : ''}
  var lossPart = 0.0f;
${summed.map(({ k }) => `  var metric${k} = 0.0f;`).join('\n')}
${over(
  length,
  `      let value = output[first + i];
      let target_ = targetOf(first, row, i);
      let p = ${wgsl.probability};
      ${wgsl.each}
      lossPart += loss;
${summed.map(({ metric, k }) => `      metric${k} += ${metricTerm(metric, form)};`).join('\n')}
      gradient[first + i] = slope * ${float(1 / rowsPerExample)};`,
)}
  let lossSum = rowSum(lane, lossPart);
${summed.map(({ k }) => `  let sum${k} = rowSum(lane, metric${k});`).join('\n')}
  if (inside && lane == 0u) {
    rowTotals[row * ${columns}u] = lossSum;
${metrics
  .map((metric, k) => {
    const found = byMaximum && metric === 'accuracy' ? 'hits' : `sum${k}`;
    return `    rowTotals[row * ${columns}u + ${k + 1}u] = ${found};`;
  })
  .join('\n')}
  }`,
    reference: lossReference(form),
  };
}

/**
 * Buffers: output, targets, gradient (of the output), rowTotals [row][loss, metrics…]. The gradient is of the sum over
 * examples of the mean over an example's rows.
 */
export function loss(
  context: KernelContext,
  form: LossForm,
  buffers: {
    readonly output: string;
    readonly targets: string;
    readonly gradient: string;
    readonly rowTotals: string;
  },
): KernelPlan {
  const call = {
    op: lossOp(form),
    buffers,
    groups: (examples: number) => rowGroups(examples * form.rowsPerExample),
    cost: (examples: number) => ({
      flop: 10 * examples * form.rowsPerExample * form.length,
      bytes: 12 * examples * form.rowsPerExample * form.length,
    }),
    layer: context.layer,
    phase: 'forward' as const,
  };
  return { calls: [call], workspaceBytes: 0 };
}

/** Adds the rows' values to the totals, each row's share of its example. */
function addTotalsOp(rowsPerExample: number, columns: number): Op {
  return {
    name: `addTotals[${rowsPerExample}×${columns}]`,
    storage: [readFloats('rowTotals'), changeFloats('totals')],
    uniforms: [batchUniform],
    workgroupSize: ROW_LANES,
    declarations: rowTreeWgsl,
    body: `
  for (var k = 0u; k < ${columns}u; k++) {
    var part = 0.0f;
    for (var row = lane; row < batch.examples * ${rowsPerExample}u; row += ${ROW_LANES}u) {
      part += rowTotals[row * ${columns}u + k];
    }
    let sum = rowSum(lane, part);
    if (lane == 0u) { totals[k] += sum * ${float(1 / rowsPerExample)}; }
  }`,
    reference: (inputs) => {
      const rowTotals = floatsOf(inputs, 'rowTotals');
      const totals = floatsOf(inputs, 'totals');
      const rows = examplesOf(inputs) * rowsPerExample;
      for (let k = 0; k < columns; k += 1) {
        let sum = 0;
        for (let row = 0; row < rows; row += 1) sum += rowTotals[row * columns + k]!;
        totals[k]! += sum / rowsPerExample;
      }
    },
  };
}

export function addTotals(
  context: KernelContext,
  { rowsPerExample, metrics }: LossForm,
  buffers: { readonly rowTotals: string; readonly totals: string },
): KernelPlan {
  const columns = 1 + metrics.length;
  const call = {
    op: addTotalsOp(rowsPerExample, columns),
    buffers,
    groups: (): readonly [number, number] => [1, 1],
    cost: (examples: number) => ({
      flop: examples * rowsPerExample * columns,
      bytes: 4 * examples * rowsPerExample * columns,
    }),
    layer: context.layer,
    phase: 'forward' as const,
  };
  return { calls: [call], workspaceBytes: 0 };
}
