// Makes the training engine of a neural run from what the worker computes on.

import type { NeuralSpec } from '../../shared/neural/run/neuralSpec.ts';
import type { TrainingEngine } from '../../shared/neural/trainingEngine.ts';
import { loadTfjs } from '../neural/tfjs/loadTfjs.ts';
import { openTfjsEngine } from '../neural/tfjs/tfjsEngine.ts';

/** @param adapter a fresh adapter for WebGPU; none for the processor. */
export async function createNeuralEngine(
  spec: NeuralSpec,
  adapter: GPUAdapter | undefined,
): Promise<TrainingEngine> {
  const runtime = await loadTfjs(adapter);
  return openTfjsEngine({ ...spec, topology: spec.topology as object }, runtime);
}
