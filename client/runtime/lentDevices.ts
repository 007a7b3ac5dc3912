// What a worker computes on, as its session gets it: made when a run needs it, and lent for a share of the time.

import type { Clock } from '../../shared/clock.ts';
import type { SessionEnvironment } from '../session/sessionEnvironment.ts';
import type { AcquiredDevice } from './acquireDevice.ts';
import { throttledDevice } from './throttledDevice.ts';
import { throttledEngine } from './throttledEngine.ts';

/** @param share how much of the time may be used, in (0, 1]; asked anew each time. */
export function lentDevices(
  acquired: AcquiredDevice,
  share: () => number,
  clock: Clock,
): Pick<SessionEnvironment, 'createDevice' | 'createEngine' | 'deviceName'> {
  return {
    createDevice: async (spec) => throttledDevice(await acquired.create(spec), share, clock),
    createEngine: async (spec) => throttledEngine(await acquired.createEngine(spec), share, clock),
    deviceName: acquired.report.name,
  };
}
