// What can be wrong with a neural net and with what an engine is asked for.

import { TabgradError } from '../../kernels/errors.ts';

/** A layer's shapes or settings contradict each other. */
export class NetInvalidError extends TabgradError {
  readonly code = 'NET_INVALID';
}

/** More than the device takes. */
export class NetTooLargeError extends TabgradError {
  readonly code = 'NET_TOO_LARGE';
}

/** A call that does not fit the net. */
export class EngineMisuseError extends TabgradError {
  readonly code = 'ENGINE_MISUSE';
}
