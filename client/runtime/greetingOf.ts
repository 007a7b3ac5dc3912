// What a worker says of itself when it joins.

import type { DeviceReport } from '../../shared/protocol/control.ts';
import type { Greeting } from '../control/controlClient.ts';
import type { WorkerOptions, WorkerPlatform } from './workerPlatform.ts';

export function greetingOf(
  { token, name, allowCode }: WorkerOptions,
  { runtime, cores, programs }: Pick<WorkerPlatform, 'runtime' | 'cores' | 'programs'>,
  device: DeviceReport,
): Greeting {
  return {
    runtime,
    device,
    cores,
    ...(programs && { programs: allowCode ? 'any' : 'builtin' }),
    ...(token === undefined ? {} : { token }),
    ...(name === undefined ? {} : { name }),
  };
}
