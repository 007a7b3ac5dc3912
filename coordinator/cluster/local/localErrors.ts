// Failures of starting workers on this machine.

import { TabgradError } from '../../../kernels/errors.ts';

/** A local worker ended, was refused or did not answer before it had joined. The message ends with what it last said. */
export class WorkerStartError extends TabgradError {
  readonly code = 'WORKER_START_FAILED';
}

/** An option of local workers is not accepted, or has no effect with the others. */
export class LocalWorkersError extends TabgradError {
  readonly code = 'WORKER_SETTING_INVALID';
}

/** Local workers are gone and can not be replaced. */
export class WorkersLostError extends TabgradError {
  readonly code = 'TRAIN_WORKERS_LOST';
}
