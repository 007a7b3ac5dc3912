import { TabgradError } from '../../shared/errors.ts';

/** A program is to compute on WebGPU, and its thread has no adapter. */
export class AdapterMissingError extends TabgradError {
  readonly code = 'PROGRAM_REFUSED';

  constructor(missing: string) {
    super(`The program's thread has no WebGPU: ${missing}.`);
  }
}
