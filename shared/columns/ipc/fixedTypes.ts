// How many bytes a value of Arrow's fixed-width types takes.

import * as arrow from 'apache-arrow';
import { UnsupportedDataError } from '../columnErrors.ts';
import { typeName } from '../typeName.ts';

/** @throws UnsupportedDataError for types that are of no fixed width. */
export function valueBytesOf(type: arrow.DataType): number {
  if (arrow.DataType.isInt(type) || arrow.DataType.isTime(type)) return type.bitWidth / 8;
  if (arrow.DataType.isFloat(type)) return 2 ** (type.precision + 1);
  if (arrow.DataType.isDate(type)) return type.unit === arrow.DateUnit.DAY ? 4 : 8;
  if (arrow.DataType.isTimestamp(type) || arrow.DataType.isDuration(type)) return 8;
  if (arrow.DataType.isInterval(type)) return [4, 8, 16][type.unit]!;
  if (arrow.DataType.isFixedSizeBinary(type)) return type.byteWidth;
  throw new UnsupportedDataError(`The Arrow type ${typeName(type)} is not supported.`);
}
