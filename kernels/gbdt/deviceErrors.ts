// Failures of tree devices. Kernels import no other room, so these can't extend TabgradError; they carry a `code` of
// the same closed list (shared/errors.ts), which is what callers look at.

/** A block doesn't fit the spec the device was made for. The message names the block's rows, the feature and the row. */
export class InvalidBlockError extends Error {
  readonly code = 'INVALID_BLOCK';
  override readonly name = 'InvalidBlockError';
}

/** A call that the device can't serve in its present state: a closed device, a foreign block, an unknown node. */
export class DeviceStateError extends Error {
  readonly code = 'DEVICE_STATE';
  override readonly name = 'DeviceStateError';
}

/** The GPU device is gone: driver reset, tab discarded, adapter unplugged. State on it is lost. */
export class DeviceLostError extends Error {
  readonly code = 'DEVICE_LOST';
  override readonly name = 'DeviceLostError';
}

/** WebGPU refused a command or ran out of memory; results of the call can't be trusted. */
export class DeviceFailedError extends Error {
  readonly code = 'DEVICE_FAILED';
  override readonly name = 'DeviceFailedError';
}
