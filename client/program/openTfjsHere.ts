// A tf.LayersModel in this program's thread, computed by tfjs.

import type { LayersFiles } from '../../shared/neural/model/layersFiles.ts';
import type { BareNet } from '../../shared/neural/predict/openNet.ts';
import { loadTfjsNet } from '../../shared/neural/predict/tfjsNet.ts';
import { loadTfjs } from '../neural/tfjs/loadTfjs.ts';

/** @param onLost is told when the GPU device is gone. @throws NeuralModelError */
export async function openTfjsHere(
  files: LayersFiles,
  adapter: GPUAdapter | undefined,
  onLost: (reason: string) => void,
): Promise<BareNet> {
  const runtime = await loadTfjs(adapter);
  const { tf, lost } = runtime;
  let isClosed = false;
  // Without checks of every value for NaN.
  tf.enableProdMode();
  void lost.then((reason) => {
    if (!isClosed) onLost(reason);
  });
  const net = await loadTfjsNet(tf, files);
  return {
    ...net,
    close: () => {
      isClosed = true;
      return runtime.close();
    },
  };
}
