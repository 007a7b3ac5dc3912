// What a worker is given when it joins or comes back.

import type { CoordinatorMessageOf } from '../../../shared/protocol/control.ts';
import type { PoolEntry } from './poolEntry.ts';
import type { PoolOptions } from './poolOptions.ts';
import type { WorkerKeys } from './workerKeys.ts';

export function welcomeMessage(
  { worker: { workerId }, secret }: PoolEntry,
  pingIntervalMs: number,
  keys: WorkerKeys,
  { peerServer, iceServers }: Pick<PoolOptions, 'peerServer' | 'iceServers'>,
): CoordinatorMessageOf<'welcome'> {
  return {
    type: 'welcome',
    workerId,
    secret,
    signallingToken: keys.signallingToken(workerId),
    peerServer,
    iceServers: iceServers(workerId),
    pingIntervalMs,
  };
}
