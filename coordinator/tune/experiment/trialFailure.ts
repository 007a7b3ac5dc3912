// Failures of a trial: all are coded, and some are not worth a second attempt.

import { AbortedError, TabgradError } from '../../../kernels/errors.ts';
import { TrialFailedError } from '../space/tuneErrors.ts';

/** @param what begins the message of an error that is not tabgrad's. */
export function asFailure(error: unknown, what: string): TabgradError {
  if (error instanceof TabgradError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new TrialFailedError(`${what}: ${message}`, {}, { cause: error });
}

/** Why an experiment was called off, where the signal says so in words. */
export function calledOff({ name }: { readonly name: string }, { reason }: AbortSignal): AbortedError {
  const why = typeof reason === 'string' ? `: ${reason}` : '';
  return new AbortedError(`Experiment "${name}" was called off${why}.`);
}

/** What would fail again the same way. */
export function isHopeless({ code }: TabgradError): boolean {
  return hopeless.has(code);
}

/** The coordinator has been out of reach for as long as it may be. */
export function isOutageCode({ code }: TabgradError): boolean {
  return code === 'COORDINATOR_UNREACHABLE' || code === 'COORDINATOR_CLOSED';
}

const hopeless: ReadonlySet<string> = new Set([
  'TRAIN_ARGUMENT',
  'PARAMETER_UNKNOWN',
  'PARAMETER_OUT_OF_RANGE',
  'TUNE_CHECKPOINT_MISSING',
]);
