// Standing by: a second coordinator that opens the record as soon as the one that works there is gone.

import { AbortedError, TabgradError } from '../../../kernels/errors.ts';
import { delay, systemClock } from '../../../shared/clock.ts';
import { isConnectionLoss, StorageInUseError } from './storeErrors.ts';

export interface StandbyOptions {
  /** Told once, when somebody else is there. */
  readonly onWaiting: () => void;
  readonly signal?: AbortSignal | undefined;
  /** Waits before the record is tried again; tests replace it. */
  readonly pause?: (ms: number) => Promise<void>;
}

/** Neither SQLite nor an advisory lock that is asked for with a deadline tells when it is free: it is tried. */
const RETRY_MS = 500;

/**
 * Opens what another holds as soon as it lets go, however long that takes.
 * @throws what `open` throws, other than StorageInUseError; AbortedError when the signal fires.
 */
export async function openWhenFree<T>(
  open: () => Promise<T>,
  { onWaiting, signal, pause = (ms) => delay(systemClock, ms, signal) }: StandbyOptions,
): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    if (signal?.aborted === true) throw new AbortedError('Standing by was called off.');
    try {
      return await open();
    } catch (error) {
      const isBusy = error instanceof StorageInUseError;
      // A database that is started again while this one waits is no reason to give up.
      const isAway = attempt > 0 && error instanceof TabgradError && isConnectionLoss(error.cause);
      if (!isBusy && !isAway) throw error;
    }
    if (attempt === 0) onWaiting();
    await pause(RETRY_MS);
  }
}
