// Where a worker that was allowed to run owners' code runs their loops.

import type { DeviceKind } from '../../kernels/deviceKinds.ts';
import { LoopThread } from '../ownerLoop/loopThread.ts';
import type { SessionEnvironment } from '../memberRun/sessionEnvironment.ts';
import type { WorkerPlatform } from './workerPlatform.ts';

/** @param device what the worker computes on, and a loop over tensors too. */
export function loopThreads(
  { programs }: WorkerPlatform,
  device: DeviceKind,
): Pick<SessionEnvironment, 'openLoop'> {
  if (!programs) return {};
  const { openThread } = programs;
  return {
    openLoop: (name, code) =>
      new LoopThread(openThread, name === 'rounds' ? { name } : { name, device }, code),
  };
}
