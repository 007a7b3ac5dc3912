// What a worker answers is checked like anything from outside: it is another's machine.

import { TabgradError } from '../../kernels/errors.ts';

/** What a worker answers can not be. Whoever has it gives the call to another worker, and this one nothing more. */
export class WorkerAnswerError extends TabgradError {
  readonly code = 'PROGRAM_FRAME_INVALID';
}
