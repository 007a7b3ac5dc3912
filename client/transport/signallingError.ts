import { TabgradError } from '../../shared/errors.ts';

/** The signalling server refused this worker, could not be reached, or did not answer in time. */
export class SignallingError extends TabgradError {
  readonly code = 'SIGNALLING_FAILED';
}
