// Failures of the GPU.

import { TabgradError } from '../errors.ts';

/** The GPU device is gone: driver reset, tab discarded, adapter unplugged. State on it is lost. */
export class DeviceLostError extends TabgradError {
  readonly code = 'DEVICE_LOST';
}

/** WebGPU refused a command or ran out of memory; results of the call can't be trusted. */
export class DeviceFailedError extends TabgradError {
  readonly code = 'DEVICE_FAILED';
}
