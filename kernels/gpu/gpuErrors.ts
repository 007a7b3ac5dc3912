// Failures of the GPU. Kernels import no other room, so these can't extend TabgradError; they carry a `code` of the
// same closed list (kernels/errors.ts), which is what callers look at.

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
