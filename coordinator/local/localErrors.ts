// Failures of starting workers on this machine.

import { TabgradError } from '../../shared/errors.ts';

/** A local worker ended, was refused or did not answer before it had joined. The message ends with what it last said. */
export class WorkerStartError extends TabgradError {
  readonly code = 'WORKER_START_FAILED';
}
