// A worker of the pool, reduced to what a run may know of it.

import type { PoolWorker } from '../pool/poolWorker.ts';
import type { RunWorker } from './runState.ts';

export function asRunWorker(worker: PoolWorker): RunWorker {
  return {
    workerId: worker.workerId,
    peerId: worker.peerId,
    runtime: worker.runtime,
    device: worker.device.kind,
    deviceName: worker.device.name,
    present: worker.present,
    leaving: worker.leaving !== undefined,
    session: worker.session,
  };
}
