// Values in the names of folders, as Hive, Spark and DuckDB write them: year=2024/month=5/part-0.parquet.

/** @param folders names of the folders from the root down to the file. */
export function partitionsOf(folders: readonly string[]): ReadonlyMap<string, string> {
  const partitions = new Map<string, string>();
  for (const folder of folders) {
    const at = folder.indexOf('=');
    if (at > 0) partitions.set(decoded(folder.slice(0, at)), decoded(folder.slice(at + 1)));
  }
  return partitions;
}

/** Spark and DuckDB write other characters as in URLs. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
