// What is answered for each row of a tree model: its predictions, and beside them its class and its margins where a
// deployment asks for them.

import { linkByName } from '../../../shared/gbdt/objective/registry.ts';
import { modelOutputs, predictionOutputs, type GbdtModel } from '../../../shared/gbdt/model/model.ts';
import type { OutputValues } from '../request/openInference.ts';
import { ServeArgumentError } from '../request/serveErrors.ts';
import type { TreeOptions } from './predictorOptions.ts';

export interface AnswerColumns {
  /** A column of a JSON row each. */
  readonly names: readonly string[];
  /** Whether it is made of margins, not of predictions. */
  readonly needsMargins: boolean;
  /** @param raw predictions or margins, [row][output]. @returns [row][name] */
  table(raw: Float32Array, rows: number): Float32Array;
  /** The same as tensors. */
  tensors(raw: Float32Array, rows: number): readonly OutputValues[];
}

/** Names of the columns of predictions. */
function columnNames(outputs: number, column: string): string[] {
  return outputs === 1 ? [column] : Array.from({ length: outputs }, (_, output) => `${column}_${output}`);
}

/** @throws ServeArgumentError for options that contradict the model or one another. */
export function answerColumns(
  model: Pick<GbdtModel, 'objective' | 'numClass' | 'numTarget'>,
  { outputColumn = 'predictions', outputMargin, withLabel = false, withMargin = false }: TreeOptions,
): AnswerColumns {
  const marginCount = modelOutputs(model);
  const outputs = outputMargin === true ? marginCount : predictionOutputs(model);
  const predicted = columnNames(outputs, outputColumn);
  const labelOf = withLabel ? labelRule(model, outputs) : undefined;
  const margins = withMargin ? columnNames(marginCount, 'margin') : [];
  const names = [...predicted, ...(labelOf ? ['label'] : []), ...margins];
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) {
    throw new ServeArgumentError(`outputColumn gives predictions the name "${twice}" of another column.`, {
      field: 'outputColumn',
    });
  }
  const needsMargins = withLabel || withMargin;
  if (needsMargins && outputMargin === true) {
    const field = withLabel ? 'withLabel' : 'withMargin';
    throw new ServeArgumentError(`${field} stands beside predictions, which outputMargin turns off.`, {
      field,
    });
  }
  const shape = (rows: number, width: number): number[] => (width === 1 ? [rows] : [rows, width]);
  const transformed = (raw: Float32Array): Float32Array => {
    const values = raw.slice();
    linkByName(model.objective).transform(values, marginCount);
    return outputs === marginCount ? values : values.slice(0, values.length / marginCount);
  };
  const labelsOf = (values: Float32Array, rows: number): Int32Array =>
    Int32Array.from({ length: rows }, (_, row) => labelOf!(values, row * outputs));
  return {
    names,
    needsMargins,
    table(raw, rows) {
      if (!needsMargins) return raw;
      const values = transformed(raw);
      const table = new Float32Array(rows * names.length);
      for (let row = 0, at = 0; row < rows; row++) {
        const from = row * outputs;
        for (let output = 0; output < outputs; output++) table[at++] = values[from + output]!;
        if (labelOf) table[at++] = labelOf(values, from);
        for (let margin = 0; margin < margins.length; margin++)
          table[at++] = raw[row * marginCount + margin]!;
      }
      return table;
    },
    tensors(raw, rows) {
      const values = needsMargins ? transformed(raw) : raw;
      return [
        { name: outputColumn, datatype: 'FP32', shape: shape(rows, outputs), values },
        ...(labelOf
          ? [{ name: 'label', datatype: 'INT32' as const, shape: [rows], values: labelsOf(values, rows) }]
          : []),
        ...(withMargin
          ? [{ name: 'margin', datatype: 'FP32' as const, shape: shape(rows, marginCount), values: raw }]
          : []),
      ];
    },
  };
}

/** @throws ServeArgumentError when the objective knows no classes. */
function labelRule(
  { objective, numTarget = 1 }: Pick<GbdtModel, 'objective' | 'numTarget'>,
  outputs: number,
): (values: Float32Array, from: number) => number {
  const link = linkByName(objective);
  if (link.labelOf && numTarget === 1) return (values, from) => link.labelOf!(values, from, outputs);
  const found = numTarget === 1 ? `the objective is ${objective}` : `it has ${numTarget} labels a row`;
  throw new ServeArgumentError(`withLabel needs a model of classes; ${found}.`, {
    field: 'withLabel',
  });
}
