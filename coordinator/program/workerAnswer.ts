// What a worker answers is checked like anything from outside: it is another's machine.

import { TabgradError } from '../../kernels/errors.ts';

/** A worker's answer is impossible. The caller gives the call to another worker, and this one gets no more calls. */
export class WorkerAnswerError extends TabgradError {
  readonly code = 'PROGRAM_FRAME_INVALID';
}
