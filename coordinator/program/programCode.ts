// The code of a program from what an owner names: a function or class, an export of a module, or one of tabgrad's own
// classes, which workers have already.

import { GBDTPredictor } from '../predict/gbdtPredictor.ts';
import { NeuralPredictor } from '../predict/neuralPredictor.ts';
import { Checkpoint } from '../train/checkpoint.ts';
import { bundleModule, type ModuleExport } from './bundleModule.ts';
import { inlineBundle } from './inlineBundle.ts';
import type { PredictedColumns, Program } from './program.ts';

/** A function or class as a value. */
type CodeValue = (abstract new (...args: never[]) => object) | ((...args: never[]) => unknown);

export type CodeTarget = CodeValue | ModuleExport;

interface BuiltinCode {
  readonly builtin: string;
  /** Arguments as the program on the worker takes them. */
  carriedArgs(args: readonly unknown[]): readonly unknown[];
  /** @throws what the class throws when it is constructed with the arguments. */
  predicts(args: readonly unknown[]): PredictedColumns | Promise<PredictedColumns>;
}

/** Classes of the owner's API that every worker has, by the class. A model kind that is added is a line here. */
const builtins: ReadonlyMap<unknown, BuiltinCode> = new Map<unknown, BuiltinCode>([
  [
    NeuralPredictor,
    {
      builtin: 'NeuralPredictor',
      carriedArgs: withCheckpoint,
      predicts: async (args) => {
        const predictor = new NeuralPredictor(...(args as [string]));
        try {
          return columnsOf(await predictor.outputColumns(), args, false);
        } finally {
          await predictor.close();
        }
      },
    },
  ],
  [
    GBDTPredictor,
    {
      builtin: 'GBDTPredictor',
      carriedArgs: withCheckpoint,
      predicts: (args) => columnsOf(new GBDTPredictor(...(args as [string])).outputColumns, args, true),
    },
  ],
]);

/** @throws BundleError, ExportMissingError, CheckpointError */
export async function programOf(
  target: CodeTarget,
  args: readonly unknown[],
  { form, what }: { readonly form: Program['form']; readonly what: string },
): Promise<Program> {
  const name = `${what} ${nameOf(target)}`;
  const builtin = builtins.get(target);
  if (builtin) {
    const predicts = await builtin.predicts(args);
    return { name, form, code: builtin, args: builtin.carriedArgs(args), predicts };
  }
  if (typeof target !== 'function') return { name, form, args, code: await bundleModule(target) };
  return { name, form, args, code: inlineBundle(target as never, name) };
}

function columnsOf(
  outputColumns: readonly string[],
  [, options]: readonly unknown[],
  areFinite: boolean,
): PredictedColumns {
  const { keepColumns = false } = (options ?? {}) as Partial<PredictedColumns>;
  return { outputs: outputColumns, keepColumns, areFinite };
}

function nameOf(target: CodeTarget): string {
  if (typeof target !== 'function') return target.export;
  return target.name === '' ? 'function' : target.name;
}

/** The path of a checkpoint means nothing on a worker. */
function withCheckpoint([checkpoint, ...others]: readonly unknown[]): readonly unknown[] {
  return [typeof checkpoint === 'string' ? new Checkpoint(checkpoint) : checkpoint, ...others];
}
