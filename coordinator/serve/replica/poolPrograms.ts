// What replicas on workers of the pool run: tabgrad's own predictor of trees, which every worker has, or the owner's
// class, bundled with its imports.

import type { RequestParts } from '../../../shared/serve/serveRequest.ts';
import { bundleModule } from '../../program/bundleModule.ts';
import { wireAnswer } from '../http/ownerHttp.ts';
import type { PoolProgram } from './poolReplica.ts';
import type { TreeOptions, TreeProgram } from './treeProgram.ts';

/** @param rows reads requests and writes answers here. */
export function treesOnPool(
  modelText: string,
  { outputMargin, iterationRange }: TreeOptions,
  rows: TreeProgram,
): PoolProgram {
  return {
    program: {
      name: 'a served tree model',
      code: { builtin: 'TreePredictor' },
      args: [
        new TextEncoder().encode(modelText),
        { ...(outputMargin !== undefined && { outputMargin }), ...(iterationRange && { iterationRange }) },
      ],
      form: 'plain',
    },
    prepare: (op, args) => {
      const call = rows.prepare(op, args);
      return {
        method: 'predict',
        args: [call.columns, call.rows],
        answer: (predicted) => call.answer(predicted as Float32Array),
      };
    },
  };
}

/** @throws BundleError, ExportMissingError */
export async function classOnPool(
  name: string,
  { module, exportName }: { readonly module: string; readonly exportName: string },
  args: readonly unknown[],
): Promise<PoolProgram> {
  const code = await bundleModule({ module, export: exportName });
  return {
    program: { name: `deployment "${name}"`, code, args, form: 'service' },
    prepare: (op, args) => ({
      method: op,
      args,
      answer: (value) =>
        op === 'http' ? wireAnswer(value, args[0] as RequestParts, (error) => error as Error) : value,
    }),
  };
}
