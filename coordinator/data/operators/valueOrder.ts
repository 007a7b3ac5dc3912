// The order of values in sorts and groups: NaN behind all numbers, missing values last.

type Ordered = number;

/** Values of one column, with times in their unit (exactValuesOf). */
export function compareValues(x: unknown, y: unknown): number {
  const rank = rankOf(x) - rankOf(y);
  if (rank !== 0 || rankOf(x) > 0) return rank;
  return comparePresent(x, y);
}

/** 0 for values, 1 for NaN, 2 for missing ones. */
export function rankOf(value: unknown): number {
  if (value === null || value === undefined) return 2;
  return Number.isNaN(value) ? 1 : 0;
}

/** Numbers and bigints by value, strings by code unit, bytes as they are, lists and structs by their first difference. */
export function comparePresent(x: unknown, y: unknown): number {
  if (typeof x === 'object') return compareObjects(x as object, y as object);
  if ((x as Ordered) < (y as Ordered)) return -1;
  return (x as Ordered) > (y as Ordered) ? 1 : 0;
}

function compareObjects(x: object, y: object): number {
  if (x instanceof Uint8Array) return Buffer.compare(x, y as Uint8Array);
  const [own, other] = [Object.values(x), Object.values(y)];
  for (let i = 0; i < Math.min(own.length, other.length); i++) {
    const difference = compareValues(own[i], other[i]);
    if (difference !== 0) return difference;
  }
  return own.length - other.length;
}

/** A key of a Map that equal values of a column share, and no others: NaN is one value, 0 and -0 are one. */
export function identityOf(value: unknown): unknown {
  return typeof value === 'object' && value !== null ? written(value) : value;
}

/** The same for several columns. Each part says where it ends, so that no two lists read alike. */
export function identityOfAll(values: readonly unknown[]): string {
  return values.map(written).join('');
}

function written(value: unknown): string {
  if (value === null || value === undefined) return '-';
  if (typeof value === 'string') return `s${value.length}:${value}`;
  if (typeof value === 'number') return `n${value === 0 ? 0 : value};`;
  if (typeof value === 'bigint') return `n${value};`;
  if (typeof value !== 'object') return `b${String(value === true)};`;
  if (value instanceof Uint8Array) return `x${value.length}:${Buffer.from(value).toString('latin1')}`;
  if (Array.isArray(value)) return `l${value.length}:${value.map(written).join('')}`;
  const members = Object.entries(value);
  return `o${members.length}:${members.map(([name, member]) => written(name) + written(member)).join('')}`;
}
