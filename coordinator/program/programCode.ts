// The code of a program from what an owner names: a function or class, an export of a module, or one of tabgrad's own
// classes, which workers have already.

import { builtinProgramOf } from './builtinProgram.ts';
import { bundleModule, type ModuleExport } from './bundleModule.ts';
import { inlineBundle } from './inlineBundle.ts';
import type { Program } from './program.ts';

/** A function or class as a value. */
type CodeValue = (abstract new (...args: never[]) => object) | ((...args: never[]) => unknown);

export type CodeTarget = CodeValue | ModuleExport;

/** @throws BundleError, ExportMissingError, CheckpointError */
export async function programOf(
  target: CodeTarget,
  args: readonly unknown[],
  { form, what }: { readonly form: Program['form']; readonly what: string },
): Promise<Program> {
  const name = `${what} ${nameOf(target)}`;
  const builtin = builtinProgramOf(target);
  if (builtin) {
    const predicts = await builtin.predicts(args);
    const code = { builtin: builtin.builtin };
    const carried = builtin.carriedArgs(args);
    return { name, form, code, args: carried, predicts, openHere: () => builtin.openHere(carried) };
  }
  if (typeof target !== 'function') return { name, form, args, code: await bundleModule(target) };
  return { name, form, args, code: inlineBundle(target as never, name) };
}

function nameOf(target: CodeTarget): string {
  if (typeof target !== 'function') return target.export;
  return target.name === '' ? 'function' : target.name;
}
