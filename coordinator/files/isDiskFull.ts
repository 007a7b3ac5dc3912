// The one place that knows how the operating system, and SQLite, say that there is no room left.

/** Whether a failure of the file system is for want of room: on the volume, or within the user's quota. */
export function isDiskFull(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ENOSPC' || code === 'EDQUOT' || code === 'SQLITE_FULL';
}
