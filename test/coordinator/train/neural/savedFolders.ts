// Folders of tf.LayersModels as tfjs's own writers make them, and what tfjs reads out of them.

import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';

type Weight = tf.io.WeightsManifestEntry;

interface SavedAs {
  /** Name of the file of weights. */
  readonly file?: string;
  /** What the manifest calls it. */
  readonly path?: string;
  readonly topology?: (topology: object) => object;
  /** Of each weight: its bytes and its entry in the manifest. */
  readonly weight?: (values: Float32Array, entry: Weight) => { bytes: Uint8Array; entry: Weight };
}

export async function saveFolder(
  model: tf.LayersModel,
  { file = 'weights.bin', path = file, topology = (same) => same, weight }: SavedAs = {},
): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'tabgrad-saved-'));
  await model.save(
    tf.io.withSaveHandler((artifacts) => {
      const entries: Weight[] = [];
      const pieces: Uint8Array[] = [];
      let at = 0;
      for (const entry of artifacts.weightSpecs!) {
        const length = entry.shape.reduce((product, size) => product * size, 4);
        const plain = new Uint8Array(artifacts.weightData as ArrayBuffer).slice(at, (at += length));
        const written = weight?.(new Float32Array(plain.buffer), entry) ?? { bytes: plain, entry };
        pieces.push(written.bytes);
        entries.push(written.entry);
      }
      writeFileSync(join(folder, file), Buffer.concat(pieces));
      const manifest = [{ paths: [path], weights: entries }];
      const json = { modelTopology: topology(artifacts.modelTopology as object), weightsManifest: manifest };
      writeFileSync(join(folder, 'model.json'), JSON.stringify({ format: 'layers-model', ...json }));
      return Promise.resolve({
        modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' as const },
      });
    }),
  );
  return folder;
}

/** By tfjs, from the files alone. */
export function loadFolder(folder: string, file = 'weights.bin'): Promise<tf.LayersModel> {
  const json = JSON.parse(readFileSync(join(folder, 'model.json'), 'utf8')) as {
    modelTopology: object;
    weightsManifest: { weights: Weight[] }[];
  };
  const weightData = Uint8Array.from(readFileSync(join(folder, file))).buffer;
  const weightSpecs = json.weightsManifest.flatMap(({ weights }) => weights);
  return tf.loadLayersModel(tf.io.fromMemory({ modelTopology: json.modelTopology, weightSpecs, weightData }));
}

/** As tensorflowjs_converter quantizes. */
export function quantizedAs(dtype: 'float16' | 'uint16' | 'uint8'): NonNullable<SavedAs['weight']> {
  return (values, entry) => {
    if (dtype === 'float16') {
      // Whole sixteenths below 2: their bits need no rounding.
      const halves = Uint16Array.from(values, halfOf);
      return { bytes: new Uint8Array(halves.buffer), entry: { ...entry, quantization: { dtype } } };
    }
    const most = dtype === 'uint8' ? 255 : 65_535;
    const min = Math.min(...values);
    const scale = (Math.max(...values) - min) / most || 1;
    const codes = Array.from(values, (value) => Math.round((value - min) / scale));
    const bytes = dtype === 'uint8' ? Uint8Array.from(codes) : new Uint8Array(Uint16Array.from(codes).buffer);
    return { bytes, entry: { ...entry, quantization: { dtype, min, scale } } };
  };
}

/** Cut off, not rounded. */
function halfOf(value: number): number {
  const [bits = 0] = new Uint32Array(Float32Array.of(value).buffer);
  const exponent = ((bits >>> 23) & 0xff) - 112;
  return exponent < 1 ? 0 : ((bits >>> 16) & 0x8000) | (exponent << 10) | ((bits >>> 13) & 0x3ff);
}
