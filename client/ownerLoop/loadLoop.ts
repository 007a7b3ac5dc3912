// The function that an owner's loop is, from what travelled.

import { TabgradError } from '../../kernels/errors.ts';
import type { ImportText } from '../thread/threadPlatform.ts';
import { evaluateOwnerCode } from './evaluateOwnerCode.ts';
import type { LoopSource } from './loopMessages.ts';

/** What travelled is no function. */
class NoLoopError extends TabgradError {
  readonly code = 'TRAIN_LOOP_FAILED';
}

export type OwnerFunction = (config: unknown, context: object) => unknown;

/** @throws NoLoopError, and what the owner's code throws. */
export async function loadLoop(code: LoopSource, importText: ImportText): Promise<OwnerFunction> {
  if (code.kind === 'text') return checked(evaluateOwnerCode(code.source), 'trainLoopPerWorker');
  const module = (await importText(code.source).module) as Record<string, unknown>;
  return checked(module[code.exportName], `export ${code.exportName}`);
}

function checked(value: unknown, what: string): OwnerFunction {
  if (typeof value === 'function') return value as OwnerFunction;
  throw new NoLoopError(`${what} is no function`);
}
