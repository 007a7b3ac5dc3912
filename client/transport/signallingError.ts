import { TabgradError } from '../../kernels/errors.ts';

/** The signalling server could not be reached, or did not answer in time. Trying again later may help. */
export class SignallingError extends TabgradError {
  readonly code = 'SIGNALLING_FAILED';
}
