// Values of rows as JSON text.

/**
 * Dates as ISO text, bytes as base64, bigints as numbers with all their digits; NaN and infinities as null. The depth is
 * that of the column's type.
 */
export function rowJson(value: unknown): string {
  if (typeof value === 'bigint') return String(value);
  if (value === undefined || value === null) return 'null';
  if (typeof value !== 'object' || value instanceof Date) return JSON.stringify(value) ?? 'null';
  if (value instanceof Uint8Array) return JSON.stringify(Buffer.from(value).toString('base64'));
  if (Array.isArray(value)) return `[${value.map(rowJson).join(',')}]`;
  // Rows and structs, and typed arrays, which JSON.stringify takes for objects as well.
  const members = Object.entries(value).map(([name, member]) => `${JSON.stringify(name)}:${rowJson(member)}`);
  return `{${members.join(',')}}`;
}
