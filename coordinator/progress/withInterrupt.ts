// Work that Ctrl-C calls off, unless its caller brings a signal and decides that himself.

/** @param signal the caller's; without it the first SIGINT aborts the work, and a second one ends the process as usual. */
export async function withInterrupt<T>(
  signal: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  if (signal) return work(signal);
  const interrupted = new AbortController();
  const onInterrupt = (): void => interrupted.abort();
  process.once('SIGINT', onInterrupt);
  try {
    return await work(interrupted.signal);
  } finally {
    process.off('SIGINT', onInterrupt);
  }
}
