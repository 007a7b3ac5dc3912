// Failures of the engine that runs on tfjs.

import { TabgradError } from '../../../kernels/errors.ts';

/** The model or a setting is beyond this engine. */
export class EngineUnsuitableError extends TabgradError {
  readonly code = 'ENGINE_UNSUITABLE';
}

/** The GPU device is gone. */
export class EngineLostError extends TabgradError {
  readonly code = 'DEVICE_LOST';
}

/** tfjs refused an operation, or the device has no memory left. */
export class EngineFailedError extends TabgradError {
  readonly code = 'DEVICE_FAILED';
}
