// Rows of a dataset as columns of numbers, one column an input of the model and one for the labels, a block at a time.

import type { Dataset } from '../../data/dataset.ts';
import { elements } from '../../../shared/neural/graph/graphBuilder.ts';
import type { TensorField } from '../../../shared/neural/run/neuralSpec.ts';
import type { StoredValues } from '../../../shared/neural/run/tensorShard.ts';
import type { LabelRule } from './labelRule.ts';
import { inputColumn, type TensorColumn, type TensorSet } from './tensorSet.ts';
import { TabgradError } from '../../../kernels/errors.ts';

/** A dataset does not fit the model: shape, kind or range. `place` has column and row. */
export class NeuralDataError extends TabgradError {
  readonly code = 'NEURAL_DATA_MISMATCH';
}

export interface TensorBlock {
  readonly rows: number;
  /** In the order of the fields. */
  readonly columns: readonly StoredValues[];
}

/** What is read for one field: the columns of a table whose values follow one another. */
export interface FieldSource {
  readonly field: TensorField;
  readonly columns: readonly string[];
  readonly rule?: LabelRule;
}

const READ_ROWS = 1024;

/** @throws NeuralDataError naming column and row; what the dataset throws. */
export async function* tableBlocks(
  data: Dataset,
  sources: readonly FieldSource[],
  options: { readonly signal?: AbortSignal },
): AsyncGenerator<TensorBlock> {
  let firstRow = 0;
  const wanted = [...new Set(sources.flatMap(({ columns }) => columns))];
  const batches = data.selectColumns(wanted).iterBatches({ ...options, batchSize: READ_ROWS });
  for await (const batch of batches) {
    const rows = batch[wanted[0]!]?.length ?? 0;
    const columns = sources.map(({ field, columns: names, rule }) => {
      const column = newColumn(field, rows);
      for (let row = 0; row < rows; row++) {
        const place = { row: firstRow + row, names };
        fillRow(
          column,
          row,
          names.map((name) => batch[name]![row]),
          field,
          rule,
          place,
        );
      }
      return column;
    });
    if (rows > 0) yield { rows, columns };
    firstRow += rows;
  }
}

function newColumn({ storage, shape }: TensorField, rows: number): StoredValues {
  const length = rows * elements(shape);
  if (storage === 'uint8') return new Uint8Array(length);
  return storage === 'int32' ? new Int32Array(length) : new Float32Array(length);
}

interface Place {
  readonly row: number;
  readonly names: readonly string[];
}

function fillRow(
  column: StoredValues,
  row: number,
  values: readonly unknown[],
  field: TensorField,
  rule: LabelRule | undefined,
  place: Place,
): void {
  const width = elements(field.shape);
  let at = row * width;
  const end = at + width;
  const take = (value: unknown, name: string): void => {
    if (Array.isArray(value) || ArrayBuffer.isView(value)) {
      for (const one of value as unknown as Iterable<unknown>) take(one, name);
      return;
    }
    const number = typeof value === 'boolean' ? Number(value) : value;
    const wrong = typeof number === 'number' ? wrongValue(number, field, rule) : 'expected numbers';
    if (wrong !== undefined) refuse(field, name, place.row, String(value), wrong);
    if (at < end) column[at] = number as number;
    at++;
  };
  for (const [i, value] of values.entries()) take(value, place.names[i]!);
  if (at === end) return;
  throw new NeuralDataError(
    `row ${place.row}: ${place.names.join(', ')} ${place.names.length === 1 ? 'has' : 'have'} ${at - row * width} values; ` +
      `"${field.name}" takes ${width} ([${field.shape.join(', ')}])`,
    { row: place.row, column: place.names[0]! },
  );
}

function wrongValue(
  value: number,
  { storage, name }: TensorField,
  rule: LabelRule | undefined,
): string | undefined {
  if (rule) return rule.wrong(value);
  if (!Number.isFinite(value)) return 'expected a finite number';
  if (storage === 'uint8' && !(Number.isInteger(value) && value >= 0 && value <= 255)) {
    return `expected a byte from 0 to 255, since "${name}" is scaled`;
  }
  return storage === 'int32' && !Number.isInteger(value) ? 'expected a whole number' : undefined;
}

function refuse(field: TensorField, column: string, row: number, value: string, expected: string): never {
  throw new NeuralDataError(
    `row ${row}: column "${column}" (${field.name}) is ${value.slice(0, 60)}; ${expected}`,
    {
      row,
      column,
    },
  );
}

/** The columns of a set in memory, checked as a whole. @throws NeuralDataError */
export function memoryBlock(set: TensorSet, fields: readonly TensorField[], rule: LabelRule): TensorBlock {
  const named = fields.slice(0, -1).map((field): [TensorField, TensorColumn] => {
    const column = inputColumn(set, field.name);
    if (!column) {
      throw new NeuralDataError(
        `inputs has no "${field.name}"; the model takes ${fields
          .slice(0, -1)
          .map(({ name }) => name)
          .join(', ')}`,
        {
          column: field.name,
        },
      );
    }
    return [field, column];
  });
  const all: [TensorField, TensorColumn][] = [...named, [fields.at(-1)!, set.labels]];
  const counts = all.map(([field, { values }]) => values.length / elements(field.shape));
  const rows = Math.floor(counts[0]!);
  for (const [at, [field, { shape, values }]] of all.entries()) {
    if (elements(shape) !== elements(field.shape)) {
      throw new NeuralDataError(
        `"${field.name}" has rows of shape [${shape.join(', ')}]; the model takes [${field.shape.join(', ')}]`,
        { column: field.name },
      );
    }
    if (counts[at] !== rows) {
      throw new NeuralDataError(
        `"${field.name}" has ${values.length} values, which are no ${rows} rows of [${shape.join(', ')}]`,
        { column: field.name },
      );
    }
    const isLabel = at === all.length - 1;
    for (let i = 0; i < values.length; i++) {
      const wrong = wrongValue(values[i]!, field, isLabel ? rule : undefined);
      if (wrong === undefined) continue;
      refuse(field, field.name, Math.floor(i / elements(shape)), String(values[i]), wrong);
    }
  }
  const columns = all.map(([field, { values }]) => {
    if (field.storage === 'uint8') return Uint8Array.from(values);
    return field.storage === 'int32' ? Int32Array.from(values) : Float32Array.from(values);
  });
  return { rows, columns };
}

/** A single block where a stream of them is taken. */
export async function* oneBlock(block: TensorBlock): AsyncGenerator<TensorBlock> {
  yield await Promise.resolve(block);
}
