// Makes the training engine of a neural run from what the worker computes on.

import {
  createTrainingEngine,
  type TrainingEngineOptions,
} from '../../shared/neural/engine/createTrainingEngine.ts';
import { readModel } from '../../shared/neural/model/readModel.ts';
import { NetTooLargeError } from '../../shared/neural/netErrors.ts';
import type { NeuralSpec } from '../../shared/neural/run/neuralSpec.ts';
import type { EngineSpec, TrainingEngine } from '../../shared/neural/trainingEngine.ts';
import { loadTfjs } from '../neural/tfjs/loadTfjs.ts';
import { openTfjsEngine } from '../neural/tfjs/tfjsEngine.ts';
import { onOwnDevice } from '../../kernels/gpu/ownedGpuDevice.ts';
import { tunedConvolutions, type TuningPlace } from './tunedConvolutions.ts';
import { TabgradError } from '../../kernels/errors.ts';
import type { ThreadChoice } from '../../kernels/wasm/wasmRuntime.ts';

/**
 * @param adapter a fresh adapter for WebGPU; none for the processor. @param tuning where the run's owner asked for it.
 * @param threads of the processor.
 */
export async function createNeuralEngine(
  spec: NeuralSpec,
  adapter: GPUAdapter | undefined,
  tuning?: TuningPlace,
  threads?: ThreadChoice,
): Promise<TrainingEngine> {
  const read = spec.engine === 'compiled' ? readModel(spec.topology) : undefined;
  if (read?.kind !== 'compiled') {
    return openTfjsEngine({ ...spec, topology: spec.topology as object }, await loadTfjs(adapter));
  }
  const engineSpec: EngineSpec = { ...spec, graph: read.graph };
  const clocked = spec.profile === true && { clock: () => performance.now() };
  if (!adapter) return createFitting(engineSpec, { device: 'cpu', ...(threads && { threads }), ...clocked });
  const isTuned = spec.tuneKernels === true && tuning !== undefined;
  const isTimed = (isTuned || spec.profile === true) && adapter.features.has('timestamp-query');
  const make = async (device: GPUDevice): Promise<TrainingEngine> => {
    const options = { device, ...clocked };
    if (!isTuned) return createFitting(engineSpec, options);
    const convolutions = await tunedConvolutions(device, adapter.info, engineSpec, tuning);
    return createFitting(engineSpec, { ...options, convolutions });
  };
  return onOwnDevice(adapter, make, isTimed ? ['timestamp-query'] : []);
}

/** @throws NetTooLargeError that suggests the largest microbatch that does fit. */
async function createFitting(spec: EngineSpec, options: TrainingEngineOptions): Promise<TrainingEngine> {
  try {
    return await createTrainingEngine(spec, options);
  } catch (error) {
    if (!isTooLarge(error)) throw error;
    const size = await largestFitting(spec.microbatchSize, async (microbatchSize) => {
      try {
        const smaller = await createTrainingEngine({ ...spec, microbatchSize }, options);
        await smaller.close();
        return true;
      } catch (still) {
        if (isTooLarge(still)) return false;
        throw still;
      }
    });
    if (size === 0) throw error;
    throw new NetTooLargeError(
      `A microbatch of ${spec.microbatchSize} examples does not fit on this device: ${error.message} ` +
        `The largest that does has ${size}: set microbatchSize to ${size}.`,
      { field: 'microbatchSize' },
      { cause: error },
    );
  }
}

/** The largest size below `tooLarge` that fits, by bisection; 0 when not even 1 does. */
async function largestFitting(tooLarge: number, fits: (size: number) => Promise<boolean>): Promise<number> {
  let [fitting, failing] = [0, tooLarge];
  while (failing - fitting > 1) {
    const size = Math.floor((fitting + failing) / 2);
    if (await fits(size)) fitting = size;
    else failing = size;
  }
  return fitting;
}

/** Over a limit of the device, or out of its memory. */
function isTooLarge(error: unknown): error is TabgradError {
  return error instanceof TabgradError && (error.code === 'NET_TOO_LARGE' || error.code === 'DEVICE_FAILED');
}
