// One tab of a browser lends at a time: several would lend the same GPU more than once.

/**
 * Takes the lock of this browser, as soon as no other tab has it.
 * @param onWaiting told when another tab has it.
 * @param signal ends the wait.
 * @returns how to let it go; undefined when the wait was ended.
 */
export async function takeTabLock(
  onWaiting: () => void,
  signal: AbortSignal,
): Promise<(() => void) | undefined> {
  // Not there over plain http from another machine.
  const locks = navigator.locks as LockManager | undefined;
  if (!locks) return () => undefined;
  return new Promise((resolve) => {
    const hold = (lock: Lock | null): Promise<void> => {
      if (lock) return new Promise((release) => resolve(() => release()));
      onWaiting();
      return locks.request('tabgrad-lends', { signal }, hold);
    };
    locks
      .request('tabgrad-lends', { ifAvailable: true }, hold)
      .catch(() => resolve(signal.aborted ? undefined : () => undefined));
  });
}
