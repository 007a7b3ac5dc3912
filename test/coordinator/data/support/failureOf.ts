import { expect } from 'vitest';
import { TabgradError } from '../../../../kernels/errors.ts';

/** The coded error that the action ends with. */
export async function failureOf(action: Promise<unknown>): Promise<TabgradError> {
  const error: unknown = await action.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(TabgradError);
  return error as TabgradError;
}
