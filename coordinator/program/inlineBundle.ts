// A function or class that is given as a value, as it travels: its text. So it can use nothing but its arguments and
// what every worker has.

import { compileFunction } from 'node:vm';
import { PROGRAM_FILE } from '../../shared/protocol/program.ts';
import type { Bundle } from './bundle.ts';
import { BundleError } from './programErrors.ts';

const MAX_TEXT_LENGTH = 256 * 1024;
const EXPORT_NAME = 'program';
/** `__name` is what bundlers that keep names wrap functions in. */
const PREAMBLE = 'const __name = (named) => named;\n';

/**
 * @param what names it in messages, e.g. "the function of mapBatches".
 * @throws BundleError when it has no text that stands alone.
 */
export function inlineBundle(target: (...args: never[]) => unknown, what: string): Bundle {
  const source = String(target);
  if (source.includes('[native code]')) throw refused(what, 'is not a function with source text');
  if (source.length > MAX_TEXT_LENGTH) {
    throw refused(what, `has ${source.length} characters; expected at most ${MAX_TEXT_LENGTH}`);
  }
  try {
    // A method's text ("async call(batch) {…}") is no expression.
    compileFunction(`return (${source}\n);`);
  } catch (cause) {
    throw refused(what, `can't travel as text (${String(cause)}); expected a function expression or a class`);
  }
  const text = `${PREAMBLE}export const ${EXPORT_NAME} = (${source}\n);\n//# sourceURL=${PROGRAM_FILE}\n`;
  const name = target.name === '' ? 'function' : target.name;
  return {
    bytes: new TextEncoder().encode(text),
    exportName: EXPORT_NAME,
    // Where in the owner's file it stands is not known; the line of its own text is.
    positionOf: (line, column) => ({ file: name, line: line - 1, column }),
  };
}

function refused(what: string, why: string): BundleError {
  return new BundleError(`${what} ${why}. Put it in a module of its own and name that: { module, export }.`);
}
