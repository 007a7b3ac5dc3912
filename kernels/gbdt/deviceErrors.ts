// Failures of tree devices (those of the GPU itself are in kernels/gpu/gpuErrors.ts). Kernels import no other room, so these can't extend TabgradError; they carry a `code` of
// the same closed list (kernels/errors.ts), which is what callers look at.

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

/** A tree or split that can't be walked: a child before its parent or out of range, a feature that isn't there. */
export class InvalidTreeError extends Error {
  readonly code = 'INVALID_TREE';
  override readonly name = 'InvalidTreeError';
}
