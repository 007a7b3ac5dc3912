import { TabgradError } from '../../kernels/errors.ts';

/** The signalling server could not be reached, or did not answer in time. Trying again later may help. */
export class SignallingError extends TabgradError {
  readonly code = 'SIGNALLING_FAILED';
}

/** The signalling server won't have this worker as it presents itself. Trying again changes nothing; the relay remains. */
export class SignallingRefusedError extends TabgradError {
  readonly code = 'SIGNALLING_REFUSED';
}
