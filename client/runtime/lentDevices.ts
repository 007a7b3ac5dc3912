// What a worker computes with, as its session gets it: made when a run needs it, and lent for a share of the time.

import type { TreeDevice } from '../../kernels/gbdt/treeDevice.ts';
import type { TrainingEngine } from '../../shared/neural/trainingEngine.ts';
import type { SessionEnvironment } from '../memberRun/sessionEnvironment.ts';
import type { LinkConnector } from '../transport/link.ts';
import type { AcquiredDevice } from './acquireDevice.ts';
import { lentConnector } from './lentLinks.ts';
import { lent, type LentTime } from './lentTime.ts';

/** Nearly all of the device's time goes here: they wait for what was submitted before them, too. */
const deviceRests: ReadonlySet<keyof TreeDevice> = new Set(['buildHistograms']);
const engineRests: ReadonlySet<keyof TrainingEngine> = new Set(['accumulate']);

export function lentDevices(
  acquired: AcquiredDevice,
  connector: LinkConnector,
  time: LentTime,
): Pick<SessionEnvironment, 'connector' | 'createDevice' | 'createEngine' | 'deviceName'> {
  return {
    connector: lentConnector(connector, time),
    createDevice: async (spec) => lent(await acquired.create(spec), time, deviceRests),
    createEngine: async (spec) => lent(await acquired.createEngine(spec), time, engineRests),
    deviceName: acquired.report.name,
  };
}
