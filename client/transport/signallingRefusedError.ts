import { TabgradError } from '../../kernels/errors.ts';

/** The signalling server won't have this worker as it presents itself. Trying again changes nothing; the relay remains. */
export class SignallingRefusedError extends TabgradError {
  readonly code = 'SIGNALLING_REFUSED';
}
