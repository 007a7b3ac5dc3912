// Failures of a config file. Each message names the file and, where there is one, the path of the key.

import { TabgradError } from '../../../kernels/errors.ts';

/** The file is not there, can not be read, or its name has no known ending. */
export class ConfigUnreadableError extends TabgradError {
  readonly code = 'CONFIG_UNREADABLE';
}

/** The file does not parse, or the module throws while it loads. */
export class ConfigSyntaxError extends TabgradError {
  readonly code = 'CONFIG_SYNTAX';
}

/** A key is unknown, missing or has a value that is not accepted. `place.field` has its path. */
export class ConfigInvalidError extends TabgradError {
  readonly code = 'CONFIG_INVALID';
}

/** An expression of a derived column does not parse, or does not fit the columns it reads. */
export class ExpressionError extends TabgradError {
  readonly code = 'EXPRESSION_INVALID';
}
