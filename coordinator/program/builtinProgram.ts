// How one of tabgrad's own classes, which every worker has, is opened on a worker. A class that says so has this as a static
// member; one that a user derives from it has code of its own, and is bundled.

import type { ComputedHere, PredictedColumns } from './program.ts';

export interface BuiltinProgram {
  /** Name under which workers have the class. */
  readonly builtin: string;
  /**
   * Arguments of the constructor as the program on the worker takes them: the model in memory, so that whatever becomes of
   * its folder, all compute the same. @throws CheckpointError
   */
  carriedArgs(args: readonly unknown[]): readonly unknown[];
  /** @throws what the class throws when it is constructed with the arguments. */
  predicts(args: readonly unknown[]): PredictedColumns | Promise<PredictedColumns>;
  /** The same in this process, on the processor. @throws what the class throws when it is constructed. */
  openHere(carriedArgs: readonly unknown[]): ComputedHere;
}

export const builtinProgram = Symbol('tabgrad.builtinProgram');

/** @returns undefined for what is no such class. */
export function builtinProgramOf(target: unknown): BuiltinProgram | undefined {
  if (typeof target !== 'function' || !Object.hasOwn(target, builtinProgram)) return undefined;
  return (target as unknown as { readonly [builtinProgram]: BuiltinProgram })[builtinProgram];
}
