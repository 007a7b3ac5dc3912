// What can be wrong with a plot that is asked for.

import { TabgradError } from '../../kernels/errors.ts';
import type { ErrorMaker } from '../schema/checkOptions.ts';

/** An option of a plot, or the name of its file, is not accepted. */
export class PlotArgumentError extends TabgradError {
  readonly code = 'PLOT_ARGUMENT';
}

export const plotError: ErrorMaker = (message, place) => new PlotArgumentError(message, place);
