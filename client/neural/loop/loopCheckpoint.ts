// What a loop keeps, as files: model.json and weights.bin as tfjs writes them, tensors.safetensors, state.json.

import type * as tfjs from '@tensorflow/tfjs';
import type { CheckpointContents, LoopCheckpoint } from '../../../shared/neural/loop/dataParallelLoop.ts';
import type { PackedFiles } from '../../../shared/neural/loop/packedFiles.ts';
import { decodeTensors, encodeTensors } from '../../../shared/neural/state/safetensors.ts';
import type { Tf } from '../tfjs/loadTfjs.ts';
import { LoopMisuseError } from './loopErrors.ts';
import { packTensors } from './packTensors.ts';

const WEIGHTS_FILE = 'weights.bin';

export async function packCheckpoint(tf: Tf, contents: CheckpointContents): Promise<PackedFiles> {
  const files = new Map<string, Uint8Array>();
  const { model, tensors, state } = contents;
  if (model) await addModel(tf, model, files);
  if (tensors) files.set('tensors.safetensors', await tensorFile(tf, tensors));
  const text = JSON.stringify(state) as string | undefined;
  if (state !== undefined && text === undefined) throw new LoopMisuseError('state is not plain JSON');
  if (text !== undefined) files.set('state.json', new TextEncoder().encode(text));
  return files;
}

export function openCheckpoint(tf: Tf, files: PackedFiles): LoopCheckpoint {
  const json = (name: string): unknown => {
    const bytes = files.get(name);
    return bytes && JSON.parse(new TextDecoder().decode(bytes));
  };
  return {
    get state() {
      return json('state.json');
    },
    tensors() {
      const bytes = files.get('tensors.safetensors');
      if (!bytes) return {};
      const { tensors } = decodeTensors(bytes, 'tensors.safetensors');
      // Copies: the values lie in the file's bytes.
      const made = [...tensors].map(
        ([name, { shape, values }]) => [name, tf.tensor(values.slice(), [...shape], 'float32')] as const,
      );
      return Object.fromEntries(made);
    },
    async loadModel() {
      const model = json('model.json') as SavedModel | undefined;
      if (!model) throw new LoopMisuseError('the checkpoint has no model: none was reported');
      const weightData = files.get(WEIGHTS_FILE)!.slice().buffer;
      const weightSpecs = model.weightsManifest.flatMap(({ weights }) => weights);
      return tf.loadLayersModel(tf.io.fromMemory({ ...model, weightSpecs, weightData }));
    },
  };
}

interface SavedModel {
  readonly modelTopology: object;
  readonly weightsManifest: readonly { paths: string[]; weights: tfjs.io.WeightsManifestEntry[] }[];
}

async function addModel(tf: Tf, model: tfjs.LayersModel, files: Map<string, Uint8Array>): Promise<void> {
  let artifacts: tfjs.io.ModelArtifacts | undefined;
  const keep = tf.io.withSaveHandler(async (given) => {
    artifacts = given;
    return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
  });
  await model.save(keep, { includeOptimizer: false });
  const { modelTopology, weightSpecs = [], weightData, format, generatedBy, convertedBy } = artifacts!;
  const saved = {
    modelTopology: modelTopology!,
    format,
    generatedBy,
    convertedBy,
    weightsManifest: [{ paths: [WEIGHTS_FILE], weights: weightSpecs }],
  } satisfies SavedModel & Record<string, unknown>;
  files.set('model.json', new TextEncoder().encode(JSON.stringify(saved)));
  files.set(WEIGHTS_FILE, new Uint8Array(tf.io.CompositeArrayBuffer.join(weightData)));
}

async function tensorFile(tf: Tf, tensors: Readonly<Record<string, tfjs.Tensor>>): Promise<Uint8Array> {
  const { values } = await packTensors(tf, tensors, 'checkpoint tensor');
  let start = 0;
  const entries = Object.entries(tensors).map(([name, { shape, size }]) => {
    const part = values.subarray(start, (start += size));
    return [name, { shape, values: part }] as const;
  });
  return encodeTensors({ tensors: new Map(entries), metadata: { format: 'tabgrad' } });
}
