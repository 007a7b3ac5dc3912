// Errors of files that do not have the columns of the first one.

import { TypeMismatchError } from '../../../shared/columns/columnErrors.ts';

/** @throws TypeMismatchError naming the file and its columns that the first file lacks. */
export function requireKnownColumns(file: string, own: Iterable<string>, first: Iterable<string>): void {
  const known = new Set(first);
  const added = Array.from(own).filter((name) => !known.has(name));
  if (added.length === 0) return;
  throw new TypeMismatchError(
    `${file} has ${listed(added)}, which the first file does not have; the option unionByName: true reads ` +
      `${added.length === 1 ? 'it' : 'them'}, the option columns says which columns to read.`,
    { file, column: added[0]! },
  );
}

/** The error for columns of the first file that a file lacks. */
export function absentColumns(file: string, columns: readonly string[]): TypeMismatchError {
  return new TypeMismatchError(
    `${file} lacks ${listed(columns)}, which the first file has; the option unionByName: true takes ` +
      `${columns.length === 1 ? 'it' : 'them'} for missing.`,
    { file, column: columns[0]! },
  );
}

const MOST_NAMES = 10;

function listed(columns: readonly string[]): string {
  const names = columns.slice(0, MOST_NAMES).map((name) => `"${name}"`);
  const more = columns.length > MOST_NAMES ? ` and ${columns.length - MOST_NAMES} more` : '';
  return `${columns.length === 1 ? 'the column' : 'the columns'} ${names.join(', ')}${more}`;
}
