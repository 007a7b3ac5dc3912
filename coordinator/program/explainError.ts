// What the owner's code threw on a worker, told with file and line of the owner's sources.

import { errorCodes, type ErrorCode } from '../../kernels/errors.ts';
import type { CodeError } from '../../shared/protocol/program.ts';
import { RemoteError } from '../cluster/remote/remoteErrors.ts';
import { firstPosition, inSources, shownPosition } from './bundle.ts';
import type { Program } from './program.ts';
import { ProgramCodeError } from './programErrors.ts';
import type { PlacedWorker } from '../core/programs/programPipe.ts';

/** tabgrad's own errors keep their code; the owner's become a ProgramCodeError. */
export function explainError(error: CodeError, { code }: Program, worker: PlacedWorker): Error {
  const { name, message, stack = '' } = error;
  if (error.code !== undefined && isKnown(error.code)) return new RemoteError(error.code, message);
  const place = { peer: worker.workerId };
  const what = `${name}: ${message}${name === 'ReferenceError' ? missingVariable(code) : ''}`;
  if ('builtin' in code) return new ProgramCodeError(what, stack, place);
  const position = firstPosition(stack, code.positionOf);
  const where = position === undefined ? '' : ` (at ${shownPosition(position)})`;
  return new ProgramCodeError(`${what}${where}`, inSources(stack, code.positionOf), {
    ...place,
    ...(position && { file: position.file, row: position.line - 1 }),
  });
}

function isKnown(code: string): code is ErrorCode {
  return Object.hasOwn(errorCodes, code);
}

function missingVariable(code: Program['code']): string {
  const travelsAsText = 'exportName' in code && code.exportName === 'program';
  if (!travelsAsText) return '';
  return '. A function that is given as a value travels as text and sees nothing around it: pass it by fnConstructorArgs, or name its module, { module, export }';
}
