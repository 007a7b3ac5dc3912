// Failures of the conversation with the coordinator.

import { TabgradError } from '../../kernels/errors.ts';

/** The coordinator turned the worker away (wrong token, other version). The message is the coordinator's. */
export class JoinRefusedError extends TabgradError {
  readonly code = 'JOIN_REFUSED';
}
