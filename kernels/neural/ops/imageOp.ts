// Ops whose every output pixel is gathered from pixels of other images: pooling, padding, resizing and their gradients.
// One thread a vector of channels; the formula says where to look.

import type { StorageBinding } from '../../gpu/op.ts';
import { groupsFor } from '../../gpu/op.ts';
import type { KernelContext, KernelPlan, Phase } from '../kernelCall.ts';
import { batchUniform, examplesOf, floatsOf } from '../kernelCall.ts';
import type { NeuralOp, WasmKernel } from '../neuralOp.ts';
import type { Pair2d } from '../imageShapes.ts';
import { changeVectors, vectorAliases, widthOf } from './vectors.ts';

export interface ImageFormula {
  /** With every constant that is in the formula. */
  readonly name: string;
  /** Bindings besides `output`. */
  readonly storage: readonly StorageBinding[];
  /**
   * WGSL that leaves its result in `var value: T`. In scope: `example`, `y`, `x`, `column` (vector of channels),
   * `vectors` (of a pixel), `flat` (place in the output).
   */
  readonly body: string;
  /** In plain numbers, by the arrays' names. */
  readonly evaluate: (
    arrays: Readonly<Record<string, Float32Array | Uint32Array>>,
  ) => (example: number, y: number, x: number, channel: number, at: number) => number;
  /** Adds to the output instead of overwriting it. */
  readonly accumulate?: boolean;
  readonly wasm?: WasmKernel;
}

/** `size` is the output's. */
export function imageOp(formula: ImageFormula, size: Pair2d, channels: number): NeuralOp {
  const width = widthOf(channels);
  const vectors = channels / width;
  return {
    name: `${formula.name}[${size.height}×${size.width}×${channels}${formula.accumulate === true ? ' add' : ''}]`,
    storage: [...formula.storage, changeVectors('output')],
    uniforms: [batchUniform],
    workgroupSize: 256,
    declarations: `${vectorAliases(width)}\nalias U = ${width === 4 ? 'vec4<u32>' : 'u32'};\nconst vectors = ${vectors}u;`,
    body: `
  if (flat >= batch.examples * ${size.height * size.width}u * vectors) { return; }
  let column = flat % vectors;
  let pixel = flat / vectors;
  let x = pixel % ${size.width}u;
  let y = (pixel / ${size.width}u) % ${size.height}u;
  let example = pixel / ${size.width * size.height}u;
  var value = T(0.0f);
${formula.body}
  output[flat] ${formula.accumulate === true ? '+=' : '='} value;`,
    reference: (inputs) => {
      const arrays = Object.fromEntries(
        formula.storage.map(({ name }) => [name, inputs.storage[name] as Float32Array | Uint32Array]),
      );
      const output = floatsOf(inputs, 'output');
      const evaluate = formula.evaluate(arrays);
      const examples = examplesOf(inputs);
      for (let example = 0, at = 0; example < examples; example += 1) {
        for (let y = 0; y < size.height; y += 1) {
          for (let x = 0; x < size.width; x += 1) {
            for (let channel = 0; channel < channels; channel += 1, at += 1) {
              const value = evaluate(example, y, x, channel, at);
              output[at] = formula.accumulate === true ? output[at]! + value : value;
            }
          }
        }
      }
    },
    ...(formula.wasm && { wasm: formula.wasm }),
  };
}

/** @param reads elements that are read for each that is written. */
export function imagePlan(
  context: KernelContext,
  phase: Phase,
  op: NeuralOp,
  size: Pair2d,
  channels: number,
  buffers: Readonly<Record<string, string>>,
  reads: number,
): KernelPlan {
  const elements = size.height * size.width * channels;
  const call = {
    op,
    buffers,
    groups: (examples: number) => groupsFor(op, (examples * elements) / widthOf(channels)),
    cost: (examples: number) => ({
      flop: examples * elements * reads,
      bytes: 4 * examples * elements * (reads + 1),
    }),
    layer: context.layer,
    phase,
  };
  return { calls: [call], workspaceBytes: 0 };
}
