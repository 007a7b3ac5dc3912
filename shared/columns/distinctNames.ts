// Names of columns, told apart: files may hold several columns of one name, and rows can not.

/** The names in order; the second `x` becomes `x_1`, or the next of these that nobody has, as DuckDB does. */
export function distinctNames(names: readonly string[]): string[] {
  const taken = new Set(names);
  if (taken.size === names.length) return [...names];
  const seen = new Set<string>();
  const nextSuffix = new Map<string, number>();
  return names.map((name) => {
    if (!seen.has(name)) {
      seen.add(name);
      return name;
    }
    let suffix = nextSuffix.get(name) ?? 1;
    while (taken.has(`${name}_${suffix}`)) suffix++;
    nextSuffix.set(name, suffix + 1);
    const distinct = `${name}_${suffix}`;
    taken.add(distinct);
    return distinct;
  });
}
