// Reads the rows of a request in the shapes that Ray's clients and people post: a JSON string of JSON records (what
// Ray's own lesson sends), an array of records, one record, an object of columns, or arrays of values in the model's order.

import { beyondShape, type JsonShape } from '../../../shared/text/jsonShape.ts';
import { nearestWord } from '../../../shared/text/nearestWord.ts';
import { BadRequestError } from '../../http/httpErrors.ts';
import { withoutMark } from '../../http/bodyText.ts';
import { ServeInputError } from './serveErrors.ts';
import type { ModelFeature } from '../../../shared/gbdt/model/modelFeatures.ts';
import { featureNumber } from './featureNumber.ts';

/** How the rows came; predictions go back in the same form. */
export type RowShape = 'records' | 'record' | 'columns';

export interface FeatureRows {
  readonly shape: RowShape;
  readonly rows: number;
  /** A column a feature, in the model's order. */
  readonly columns: readonly Float32Array[];
}

/** Shorter texts are read in a moment, whatever is in them. */
const CHECKED_FROM = 16 * 1024;

/** Tensors are nested nine deep at most, and there may be fields that the model ignores. */
function shapeFor(fields: number): JsonShape {
  return { maxDepth: 32, maxKeys: Math.max(10_000, 4 * fields), maxContainers: 1 << 21 };
}

type JsonObject = Readonly<Record<string, unknown>>;

const EXPECTED =
  'expected an array of records like [{"field": value}], one record, an object of columns like {"field": [values]}, or a JSON string of one of these';

/** @throws BadRequestError when it is no JSON; ServeInputError naming row and field that don't fit the model. */
export function readRows(text: string, features: readonly ModelFeature[]): FeatureRows {
  const value = parseRows(text, features.length);
  if (Array.isArray(value)) return readRecords(value, features, 'records');
  if (!isObject(value)) throw new ServeInputError(`The body is ${kindOf(value)}; ${EXPECTED}.`);
  const object = value;
  const isColumns = features.some(({ name }) => Array.isArray(object[name]));
  return isColumns ? readColumns(object, features) : readRecords([object], features, 'record');
}

/** Columns of any kind of array, as other deployments hand them over. */
export function readColumns(
  batch: Readonly<Record<string, unknown>>,
  features: readonly ModelFeature[],
): FeatureRows {
  const given = features.map((feature) => {
    const column = Object.hasOwn(batch, feature.name) ? batch[feature.name] : undefined;
    if (column === undefined) throw missing(feature, batch, features);
    if (!Array.isArray(column) && !isNumericArray(column)) {
      throw new ServeInputError(
        `Column "${feature.name}" is ${kindOf(column)}, while others are arrays; ${EXPECTED}.`,
        {
          field: feature.name,
        },
      );
    }
    return column as ArrayLike<unknown>;
  });
  const rows = given[0]?.length ?? 0;
  const columns = given.map((values, index) => {
    const feature = features[index]!;
    if (values.length !== rows) {
      throw new ServeInputError(
        `Column "${feature.name}" has ${values.length} rows and "${features[0]!.name}" has ${rows}; all must be of one length.`,
        { field: feature.name },
      );
    }
    const column = new Float32Array(rows);
    for (let row = 0; row < rows; row++) column[row] = featureNumber(values[row], feature, row);
    return column;
  });
  return { shape: 'columns', rows, columns };
}

/** @throws ServeInputError naming row and field that don't fit the model. */
export function readRecords(
  records: readonly unknown[],
  features: readonly ModelFeature[],
  shape: RowShape,
): FeatureRows {
  const rows = records.length;
  const columns = features.map(() => new Float32Array(rows));
  for (let row = 0; row < rows; row++) {
    const record = records[row];
    if (Array.isArray(record)) {
      if (record.length !== features.length) {
        throw new ServeInputError(
          `Row ${row} has ${record.length} values; the model has ${features.length} features.`,
          { row },
        );
      }
      for (const [index, feature] of features.entries())
        columns[index]![row] = featureNumber(record[index], feature, row);
      continue;
    }
    if (!isObject(record))
      throw new ServeInputError(`Row ${row} is ${kindOf(record)}; ${EXPECTED}.`, { row });
    for (let index = 0; index < features.length; index++) {
      const feature = features[index]!;
      const value = record[feature.name];
      // Fields that the model does not know are ignored; inherited names like "constructor" are no fields.
      if (value === undefined || (typeof value === 'function' && !Object.hasOwn(record, feature.name)))
        throw missing(feature, record, features, row);
      columns[index]![row] = featureNumber(value, feature, row);
    }
  }
  return { shape, rows, columns };
}

function missing(
  { name }: ModelFeature,
  given: object,
  features: readonly ModelFeature[],
  row?: number,
): ServeInputError {
  // Of fields that the model does not know, one may be a misspelt one.
  const known = new Set(features.map((feature) => feature.name));
  const near = nearestWord(
    name,
    Object.keys(given).filter((field) => !known.has(field)),
  );
  const hint = near === undefined ? '' : ` There is "${near.slice(0, 100)}": is it meant?`;
  const where = row === undefined ? 'The columns lack' : `Row ${row} lacks`;
  return new ServeInputError(
    `${where} the field "${name}"; a value that is not known is sent as null.${hint}`,
    row === undefined ? { field: name } : { field: name, row },
  );
}

/**
 * The rows of a body, which may be JSON in a JSON string.
 * @param fields that the model knows.
 * @throws BadRequestError
 */
export function parseRows(text: string, fields: number): unknown {
  const value = parseJson(text, fields);
  return typeof value === 'string' ? parseJson(value, fields) : value;
}

/** @throws BadRequestError when it is no JSON, or JSON that takes far longer to read than its length tells. */
export function parseJson(body: string, fields: number): unknown {
  const text = withoutMark(body);
  const beyond = text.length > CHECKED_FROM && beyondShape(text, shapeFor(fields));
  if (typeof beyond === 'string') throw new BadRequestError(`The body is not accepted: ${beyond}`);
  try {
    return JSON.parse(text);
  } catch (error) {
    const hint = /(^|[\s[:,-])(NaN|Infinity)\b/.test(text)
      ? ' JSON has no NaN or Infinity: send null for a missing value.'
      : '';
    throw new BadRequestError(`The body is not JSON: ${(error as Error).message.slice(0, 200)}.${hint}`);
  }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isNumericArray(value: unknown): boolean {
  return ArrayBuffer.isView(value) && !(value instanceof DataView);
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'an array' : typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
