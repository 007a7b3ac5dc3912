// Predicts batches of a dataset with a neural net on disk.
// Made for dataset.mapBatches(NeuralPredictor, { fnConstructorArgs: [checkpoint] }).

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { NetPredictor } from '../../shared/neural/predict/netPredictor.ts';
import { filesOf, storedNet } from '../../shared/neural/predict/readNet.ts';
import { readLayersFiles } from '../../shared/neural/model/layersFiles.ts';
import type { NetOpeners } from '../../shared/neural/predict/openNet.ts';
import type { CarriedCheckpoint } from '../../shared/program/carriedCheckpoint.ts';
import { readLayersFolder } from '../checkpoint/layersFolder.ts';
import type { NetPredictorOptions } from '../../shared/neural/predict/checkPredictorOptions.ts';
import { INPUTS_FILE, readNetInputs } from '../../shared/neural/model/netInputs.ts';
import { NET_TOLERANCE } from '../../shared/neural/predict/netTolerance.ts';
import { predictedColumns, withCarried } from './predictorProgram.ts';
import { openGpuEngine } from './openGpuEngine.ts';
import { openTfjsThread } from '../checkpoint/tfjsThread/openTfjsThread.ts';
import { readLayersModel } from '../checkpoint/modelSource.ts';
import { builtinProgram, type BuiltinProgram } from '../program/builtinProgram.ts';
import { Checkpoint, MODEL_FILE } from '../checkpoint/checkpoint.ts';
import { CheckpointError } from '../checkpoint/checkpointError.ts';

/** Columns, device and batches of a NeuralPredictor. */
export type NeuralPredictorOptions = NetPredictorOptions;

const openers: NetOpeners = { openGpu: openGpuEngine, openTfjs: openTfjsThread };

/** Predicts batches of a dataset with a tf.LayersModel: `dataset.mapBatches(NeuralPredictor, { fnConstructorArgs: [checkpoint] })`. */
export class NeuralPredictor extends NetPredictor {
  static readonly [builtinProgram]: BuiltinProgram = {
    builtin: 'NeuralPredictor',
    carriedArgs: (args) => withCarried(args, readLayersFolder),
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
    openHere: ([carried, options]) => {
      const net = storedNet(readLayersFiles(carried as CarriedCheckpoint, MODEL_FILE), MODEL_FILE);
      return new NetPredictor(net, { ...(options as NeuralPredictorOptions), device: 'cpu' }, openers);
    },
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
    super({ topology, weights, inputs, file: modelPath, files }, options, openers);
  }
}
