// Reads rows for a model whose inputs are tensors: records or columns by input name, or bare arrays where there is one
// input. How deep the arrays are nested tells rows from a row.

import type { InputRows, NetRows, TensorInput } from '../../../shared/serve/layersNet.ts';
import { ServeInputError } from './serveErrors.ts';
import { parseRows, type RowShape, readInstances } from './readRows.ts';
import { isRecord } from '../../../shared/memberOf.ts';

interface TensorRows extends NetRows {
  /** How the rows came; predictions go back in the same form. */
  readonly shape: RowShape;
}

type JsonObject = Readonly<Record<string, unknown>>;

/** @throws BadRequestError when it is no JSON; ServeInputError naming row and input that don't fit the model. */
export function readTensors(text: string, inputs: readonly TensorInput[]): TensorRows {
  return tensorRows(parseRows(text, inputs.length), inputs);
}

/** As `readTensors`, of values as other deployments hand them over. */
export function tensorRows(value: unknown, inputs: readonly TensorInput[]): TensorRows {
  if (Array.isArray(value)) {
    if (value.length === 0 || isJsonObject(value[0])) return readRecords(value, inputs, 'records');
    const [only] = inputs;
    if (inputs.length > 1 || !only) {
      throw new ServeInputError(
        `The model has ${inputs.length} inputs: send records like ${example(inputs)}, not bare arrays.`,
      );
    }
    if (depthOf(value) <= only.shape.length)
      return { shape: 'record', rows: 1, inputs: [readInput([value], only)] };
    return { shape: 'records', rows: value.length, inputs: [readInput(value, only)] };
  }
  if (!isJsonObject(value)) {
    throw new ServeInputError(
      `The body is ${value === null ? 'null' : `a ${typeof value}`}; expected records like ${example(inputs)}, one record, columns, or arrays of rows.`,
    );
  }
  const object = value;
  const isColumns = inputs.some(({ name, shape }) => depthOf(object[name]) > shape.length);
  return isColumns ? readColumns(object, inputs) : readRecords([object], inputs, 'record');
}

/**
 * Rows of KServe's V1 protocol: records by input name, or the values alone where there is one input.
 * @throws BadRequestError, ServeInputError
 */
export function instanceRows(text: string, inputs: readonly TensorInput[]): NetRows {
  const [only, ...others] = inputs;
  const records = readInstances(text, inputs.length).map((instance) =>
    only && others.length === 0 && !isJsonObject(instance) ? { [only.name]: instance } : instance,
  );
  return readRecords(records, inputs, 'records');
}

function readRecords(
  records: readonly unknown[],
  inputs: readonly TensorInput[],
  shape: RowShape,
): TensorRows {
  for (const [row, record] of records.entries()) {
    if (!isJsonObject(record))
      throw new ServeInputError(`Row ${row} is no record; expected ${example(inputs)}.`, { row });
  }
  const columns = inputs.map((input) => {
    const values = (records as readonly JsonObject[]).map((record, row) => {
      if (!Object.hasOwn(record, input.name)) throw missing(`Row ${row}`, input, inputs);
      return record[input.name];
    });
    return readInput(values, input);
  });
  return { shape, rows: records.length, inputs: columns };
}

function readColumns(batch: JsonObject, inputs: readonly TensorInput[]): TensorRows {
  let rows: number | undefined;
  const columns = inputs.map((input) => {
    const column = Object.hasOwn(batch, input.name) ? batch[input.name] : undefined;
    if (column === undefined) throw missing('The object of columns', input, inputs);
    if (!Array.isArray(column))
      throw new ServeInputError(`Column "${input.name}" is not an array of rows.`, { field: input.name });
    rows ??= column.length;
    if (column.length !== rows) {
      throw new ServeInputError(
        `Column "${input.name}" has ${column.length} rows and "${inputs[0]!.name}" has ${rows}; all must be of one length.`,
        { field: input.name },
      );
    }
    return readInput(column, input);
  });
  return { shape: 'columns', rows: rows ?? 0, inputs: columns };
}

/** @param rows nested arrays of the input's shape; the first decides on sizes that the model leaves open. */
function readInput(rows: readonly unknown[], input: TensorInput): InputRows {
  const { name, dtype, shape } = input;
  const dims = openSizes(rows[0], shape);
  const rowSize = dims.reduce((product, size) => product * size, 1);
  const length = rows.length * rowSize;
  if (!Number.isSafeInteger(length) || length > MAX_ELEMENTS)
    throw new ServeInputError(`Input "${name}" has more than ${MAX_ELEMENTS} values.`, { field: name });
  const values = dtype === 'int32' ? new Int32Array(length) : new Float32Array(length);
  let at = 0;
  const fill = (value: unknown, axis: number, row: number): void => {
    if (axis < dims.length) {
      const list = ArrayBuffer.isView(value) ? Array.from(value as Float32Array) : value;
      if (!Array.isArray(list) || list.length !== dims[axis]) {
        const found = Array.isArray(list) ? `an array of ${list.length}` : kindOf(list);
        throw new ServeInputError(
          `Row ${row}, input "${name}" has ${found} at axis ${axis}; expected values of shape [${dims.join()}].`,
          { row, field: name },
        );
      }
      for (const item of list) fill(item, axis + 1, row);
      return;
    }
    values[at++] = tensorNumber(value, input, row);
  };
  for (const [row, value] of rows.entries()) fill(value, 0, row);
  return { values, shape: dims };
}

/** @throws ServeInputError naming row and input. */
export function tensorNumber(
  value: unknown,
  { name: field, dtype, below }: TensorInput,
  row: number,
): number {
  const number = typeof value === 'boolean' || typeof value === 'bigint' ? Number(value) : value;
  const isGood =
    typeof number === 'number' &&
    (dtype === 'int32' ? (number | 0) === number : Number.isFinite(Math.fround(number)));
  if (isGood && (below === undefined || (number >= 0 && number < below))) return number;
  if (isGood) {
    throw new ServeInputError(
      `Row ${row}, input "${field}" holds ${number}; expected a number from 0 to ${below! - 1}.`,
      { row, field },
    );
  }
  throw new ServeInputError(
    `Row ${row}, input "${field}" holds ${shown(value)}; expected ${dtype === 'int32' ? 'a whole number of 32 bits' : 'a finite number of float32'}.`,
    { row, field },
  );
}

/** A gigabyte of float32. */
const MAX_ELEMENTS = 1 << 28;

function openSizes(first: unknown, shape: TensorInput['shape']): number[] {
  let inside = first;
  return shape.map((size) => {
    const length = Array.isArray(inside) || ArrayBuffer.isView(inside) ? (inside as unknown[]).length : 0;
    inside = Array.isArray(inside) ? inside[0] : undefined;
    return size ?? length;
  });
}

function depthOf(value: unknown): number {
  let depth = 0;
  for (let inside = value; Array.isArray(inside) || ArrayBuffer.isView(inside); depth++)
    inside = (inside as unknown[])[0];
  return depth;
}

function missing(where: string, { name }: TensorInput, inputs: readonly TensorInput[]): Error {
  return new ServeInputError(`${where} lacks the input "${name}"; expected ${example(inputs)}.`, {
    field: name,
  });
}

function example(inputs: readonly TensorInput[]): string {
  const parts = inputs.map(
    ({ name, shape }) => `"${name}": values of shape [${shape.map((n) => n ?? '?').join()}]`,
  );
  return `{${parts.join(', ')}}`;
}

function isJsonObject(value: unknown): value is JsonObject {
  return isRecord(value) && !ArrayBuffer.isView(value);
}

function kindOf(value: unknown): string {
  return value === null ? 'null' : typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 40));
  return typeof value === 'number' ? String(value) : Array.isArray(value) ? 'an array' : kindOf(value);
}
