import { TabgradError } from '../../../kernels/errors.ts';

/** Predictions are to be computed on WebGPU, and there is no adapter where that would be. */
export class AdapterMissingError extends TabgradError {
  readonly code = 'ADAPTER_MISSING';
}
