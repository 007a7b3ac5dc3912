// Trials of nets mostly differ in what their data does not depend on: tensors are made of a dataset once for all of them.

import type { PrepareNeural } from '../../train/neural/netRun.ts';
import { prepareTensors } from '../../train/neural/prepareTensors.ts';
import type { DatasetSummary } from '../../../shared/api/datasetAnswers.ts';
import type { NetInput } from '../../../shared/neural/model/netInputs.ts';
import type { TensorDataset } from '../../../shared/neural/run/neuralSpec.ts';
import { KeptWork } from './keptWork.ts';

/** Datasets times spaces over what they depend on, like featureColumns. */
const KEPT = 32;

interface Tensors {
  readonly dataset: TensorDataset;
  readonly inputs: readonly NetInput[];
  readonly summary: DatasetSummary | undefined;
}

/** @param signal of the whole experiment: a trial that ends must not take the tensors from the others. */
export function sharedTensors(signal: AbortSignal): PrepareNeural {
  const kept = new KeptWork<Tensors>(KEPT);
  return async (name, data, settings) => {
    const { model, loss, labelColumn, featureColumns, inputScale, inputOffset } = settings;
    const key = JSON.stringify([
      name,
      kept.idOf(data),
      model.inputs,
      model.outputShape,
      loss,
      labelColumn,
      featureColumns,
      inputScale,
      inputOffset,
    ]);
    const { result } = await kept.do(key, async () => {
      let inputs: readonly NetInput[] = [];
      let summary: DatasetSummary | undefined;
      const dataset = await prepareTensors(name, data, {
        ...settings,
        onInputs: (found) => (inputs = found),
        onSummary: (told) => (summary = told),
        signal,
      });
      return { dataset, inputs, summary };
    });
    settings.onInputs?.(result.inputs);
    if (result.summary) settings.onSummary?.(result.summary);
    return result.dataset;
  };
}
