// Failures of tree devices; those of the GPU itself are in kernels/gpu/gpuErrors.ts.

import { TabgradError } from '../errors.ts';

/** A block doesn't fit the spec the device was made for. The message names the block's rows, the feature and the row. */
export class InvalidBlockError extends TabgradError {
  readonly code = 'INVALID_BLOCK';
}

/** A call that the device can't serve in its present state: a closed device, a foreign block, an unknown node. */
export class DeviceStateError extends TabgradError {
  readonly code = 'DEVICE_STATE';
}

/** A tree or split that can't be walked: a child before its parent or out of range, a feature that isn't there. */
export class InvalidTreeError extends TabgradError {
  readonly code = 'INVALID_TREE';
}
