// What replicas on workers of the pool run: tabgrad's own predictors, which every worker has, or the owner's class, bundled
// with its imports.

import type { NetRows, PredictedRows } from '../../../shared/serve/layersNet.ts';
import { CarriedCheckpoint } from '../../../shared/program/carriedCheckpoint.ts';
import type { RequestParts } from '../../../shared/serve/serveRequest.ts';
import { messageOf } from '../../../shared/text/messageOf.ts';
import { bundleModule } from '../../program/bundleModule.ts';
import { WorkerAnswerError } from '../../program/workerAnswer.ts';
import { wireAnswer } from './ownerHttp.ts';
import { checkAnswer, checkPredictions } from './poolAnswers.ts';
import { LayersProgram } from './layersProgram.ts';
import { openPooledNet } from './pooledNet.ts';
import type { PoolProgram } from './poolReplica.ts';
import type { ReplicaChecks } from './replicaChecks.ts';
import type { PreparedRows } from './treeInference.ts';
import type { TreeProgram } from './treeProgram.ts';
import type { LayersOptions } from './predictorOptions.ts';

/** Rows of trees as they travel. */
export type TreeRows = Pick<PreparedRows, 'columns' | 'rows'>;

/** @param rows reads requests and writes answers here. */
export function treesOnPool(
  modelText: string,
  rows: TreeProgram,
  checks: ReplicaChecks<TreeRows, Float32Array>,
): PoolProgram {
  return {
    program: {
      name: 'a served tree model',
      code: { builtin: 'GBDTPredictor' },
      args: [carriedModel(modelText), { ...rows.predictOptions }],
      form: 'plain',
    },
    attach: (instance) => {
      const predict = async (asked: TreeRows, signal?: AbortSignal): Promise<Float32Array> => {
        const told = await instance.call('predict', [asked.columns, asked.rows], { signal });
        return checkPredictions(told, asked.rows, rows.outputs);
      };
      const leave = checks.join({ worker: instance.worker, ask: predict, end: (why) => instance.end(why) });
      void instance.ended.then(leave);
      return {
        run: async (op, args, signal) => {
          const call = rows.prepare(op, args);
          if (op !== 'health') {
            const drawn = checks.draw(instance.worker, { columns: call.columns, rows: call.rows });
            const predicted = await predict(call, signal);
            drawn(predicted);
            return call.answer(predicted);
          }
          const predicted = await predict(call, signal);
          try {
            return call.answer(predicted);
          } catch (error) {
            // The model is known here, so the worker's answer is wrong.
            throw new WorkerAnswerError(messageOf(error));
          }
        },
      };
    },
  };
}

/** It goes to the workers as a blob, which they keep. */
function carriedModel(modelText: string): CarriedCheckpoint {
  return new CarriedCheckpoint(new Map([['model.json', new TextEncoder().encode(modelText)]]));
}

/** @param files go to the workers as blobs, which keep them. */
export function layersOnPool(
  files: CarriedCheckpoint,
  options: LayersOptions,
  checks: ReplicaChecks<NetRows, readonly PredictedRows[]>,
): PoolProgram {
  return {
    program: {
      name: 'a served tf.LayersModel',
      code: { builtin: 'NeuralPredictor' },
      args: [files, { device: options.device ?? 'cpu' }],
      form: 'plain',
    },
    attach: async (instance) => {
      const net = await openPooledNet(instance);
      const ask = (asked: NetRows): Promise<readonly PredictedRows[]> => net.predict(asked);
      const leave = checks.join({ worker: instance.worker, ask, end: (why) => instance.end(why) });
      void instance.ended.then(leave);
      const predict = async (asked: NetRows): Promise<readonly PredictedRows[]> => {
        const drawn = checks.draw(instance.worker, asked);
        const predicted = await net.predict(asked);
        drawn(predicted);
        return predicted;
      };
      return new LayersProgram({ ...net, predict }, options);
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
    attach: (instance) => ({
      run: async (op, args, signal) => {
        const value = await instance.call(op, args, { signal });
        if (op !== 'http') return value;
        return checkAnswer(() => wireAnswer(value, args[0] as RequestParts, (error) => error as Error));
      },
    }),
  };
}
