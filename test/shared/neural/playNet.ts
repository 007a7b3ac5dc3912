// Steps of a small net on a GPU and on the processor, in any runtime.

import type { PipelineCache } from '../../../kernels/gpu/pipelineCache.ts';
import { createTrainingEngine } from '../../../shared/neural/engine/createTrainingEngine.ts';
import type { EngineSpec, TrainingEngine } from '../../../shared/neural/trainingEngine.ts';
import { drawBatch, drawState, readReduction, relativeDifference } from './netData.ts';

export function writeState(engine: TrainingEngine, seed: number): Float32Array {
  const { parameters, statistics } = drawState(engine.layout, seed);
  engine.write('parameters', parameters);
  engine.write('statistics', statistics);
  return parameters;
}

/** Two steps of an uneven pair of microbatches, and everything that can be read. */
export async function playSteps(engine: TrainingEngine, spec: EngineSpec): Promise<Float32Array[]> {
  writeState(engine, 3);
  const seen: Float32Array[] = [];
  for (let step = 0; step < 2; step += 1) {
    const batches = [drawBatch(spec, 4, 5 + step), drawBatch(spec, 3, 15 + step, 4)];
    for (const [k, batch] of batches.entries())
      await engine.accumulate({ ...batch, step }, { isLast: k === 1 });
    seen.push(await readReduction(engine));
    const { examples, loss, metrics, penalty } = await engine.takeTotals();
    seen.push(Float32Array.of(examples, loss, ...Object.values(metrics)), Float32Array.of(penalty));
    engine.update({ learningRate: 0.05, step, examples: 7, microbatches: 2 });
  }
  const batch = drawBatch(spec, 3, 25);
  const { loss, metrics, penalty } = await engine.evaluate(batch);
  seen.push(Float32Array.of(loss, ...Object.values(metrics)), Float32Array.of(penalty));
  seen.push(await engine.predict(batch.inputs, 3));
  for (const section of ['parameters', 'statistics', 'optimizer'] as const)
    seen.push(await engine.read(section));
  return seen;
}

/** What differs between the two; nothing when all is well. */
export async function playNet(
  device: GPUDevice,
  pipelines: PipelineCache,
  spec: EngineSpec,
): Promise<string[]> {
  const played = [];
  for (const options of [{ device: 'cpu' }, { device, pipelines }] as const) {
    const engine = await createTrainingEngine(spec, options);
    played.push(await playSteps(engine, spec));
    await engine.close();
  }
  const [expected = [], actual = []] = played;
  return expected.flatMap((values, k) => {
    const difference = relativeDifference(actual[k]!, values);
    return difference < 2e-5 ? [] : [`array ${k} differs by ${difference} of its largest value`];
  });
}
