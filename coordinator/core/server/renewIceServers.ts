// Keeps the TURN credentials of workers that stay from expiring.

import type { Clock } from '../../../shared/clock.ts';
import type { Pool } from '../pool/pool.ts';
import { iceRenewalMs, type IceServer, type IceSettings } from './iceServers.ts';

export interface IceRenewal {
  readonly settings: IceSettings;
  readonly iceServers: (workerId: string) => IceServer[];
  readonly pool: Pick<Pool, 'workers' | 'send'>;
  readonly clock: Clock;
}

/** Sends all workers their list anew, again and again, where anything in it expires; returns the function that ends it. */
export function renewIceServers({ settings, iceServers, pool, clock }: IceRenewal): () => void {
  const everyMs = iceRenewalMs(settings);
  let cancel = (): void => undefined;
  const schedule = (): void => {
    if (everyMs === undefined) return;
    cancel = clock.after(everyMs, () => {
      // Who is away gets the list with the welcome, on coming back.
      for (const { workerId } of pool.workers())
        pool.send(workerId, { type: 'iceServers', iceServers: iceServers(workerId) });
      schedule();
    });
  };
  schedule();
  return () => cancel();
}
