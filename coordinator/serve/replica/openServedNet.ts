// Opens a tf.LayersModel in the thread of a replica, by the same code as batch predictions: the numbers are the same. tfjs,
// which takes seconds to load, comes in where the compiled engine does not know the net, and not before.

import type { DeviceKind } from '../../../kernels/deviceKinds.ts';
import { NeuralModelError, WeightsMismatchError } from '../../../shared/neural/graph/modelErrors.ts';
import type { LayersFiles } from '../../../shared/neural/model/layersFiles.ts';
import { AdapterMissingError } from '../../../shared/neural/predict/adapterMissingError.ts';
import { openNet, type OpenedNet } from '../../../shared/neural/predict/openNet.ts';
import { readNet, storedNet } from '../../../shared/neural/predict/readNet.ts';
import { CheckpointError } from '../../checkpoint/checkpointError.ts';
import { openGpuEngine } from '../../predict/openGpuEngine.ts';
import { UnavailableError } from '../request/serveErrors.ts';

/** Opened in the thread that it computes in. @throws CheckpointError, UnavailableError where the device is not there. */
export async function openServedNet(files: LayersFiles, device: DeviceKind = 'cpu'): Promise<OpenedNet> {
  try {
    return await openNet(readNet(storedNet(files, 'model.json')), device, {
      openGpu: openGpuEngine,
      openTfjs: async (...asked) => {
        const { openTfjsNet } = await import('../../checkpoint/tfjsThread/tfBackend.ts');
        return openTfjsNet(...asked);
      },
    });
  } catch (error) {
    if (error instanceof AdapterMissingError)
      throw new UnavailableError(error.message, error.place, { cause: error });
    if (!(error instanceof NeuralModelError) && !(error instanceof WeightsMismatchError)) throw error;
    throw new CheckpointError(error.message, error.place, { cause: error });
  }
}
