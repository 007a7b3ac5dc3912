// Predicts batches of a dataset with a neural net on disk.
// Made for dataset.mapBatches(NeuralPredictor, { fnConstructorArgs: [checkpoint] }).

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { NetPredictor } from '../../shared/neural/predict/netPredictor.ts';
import { filesOf } from '../../shared/neural/predict/readNet.ts';
import type { NetPredictorOptions } from '../../shared/neural/predict/checkPredictorOptions.ts';
import { INPUTS_FILE, readNetInputs } from '../../shared/neural/model/netInputs.ts';
import { NET_TOLERANCE } from '../../shared/neural/predict/netTolerance.ts';
import { predictedColumns, withCheckpoint } from './predictorProgram.ts';
import { openGpuEngine } from './openGpuEngine.ts';
import { openTfjsThread } from '../checkpoint/tfjsThread/openTfjsThread.ts';
import { readLayersModel } from '../checkpoint/modelSource.ts';
import { builtinProgram, type BuiltinProgram } from '../program/builtinProgram.ts';
import { Checkpoint } from '../checkpoint/checkpoint.ts';
import { CheckpointError } from '../checkpoint/checkpointError.ts';

/** Columns, device and batches of a NeuralPredictor. */
export type NeuralPredictorOptions = NetPredictorOptions;

/** Predicts batches of a dataset with a tf.LayersModel: `dataset.mapBatches(NeuralPredictor, { fnConstructorArgs: [checkpoint] })`. */
export class NeuralPredictor extends NetPredictor {
  static readonly [builtinProgram]: BuiltinProgram = {
    builtin: 'NeuralPredictor',
    carriedArgs: withCheckpoint,
    async predicts(args) {
      const predictor = new NeuralPredictor(...(args as [string]));
      try {
        return predictedColumns(await predictor.outputColumns(), args, {
          areFinite: false,
          tolerance: NET_TOLERANCE,
        });
      } finally {
        await predictor.close();
      }
    },
    openHere: ([checkpoint, options]) =>
      new NeuralPredictor(checkpoint as string, { ...(options as NeuralPredictorOptions), device: 'cpu' }),
  };

  /**
   * @param checkpoint a checkpoint, or the folder that tfjs has saved a model in; loaded here, once.
   * @throws CheckpointError, NeuralModelError, WeightsMismatchError
   */
  constructor(checkpoint: Checkpoint | string, options: NeuralPredictorOptions = {}) {
    const { path, modelPath } = typeof checkpoint === 'string' ? new Checkpoint(checkpoint) : checkpoint;
    const { topology, weights } = readLayersModel(modelPath);
    if (!weights) throw new CheckpointError(`${modelPath} has no weights.`, { file: modelPath });
    const file = join(path, INPUTS_FILE);
    const inputs = existsSync(file) ? readNetInputs(readFileSync(file, 'utf8'), file) : [];
    const files = (): ReturnType<typeof filesOf> => filesOf(topology, weights);
    super({ topology, weights, inputs, file: modelPath, files }, options, {
      openGpu: openGpuEngine,
      openTfjs: openTfjsThread,
    });
  }
}
