// Dropout whose choices are a hash of (seed, step, example, element): the same for any number of workers and any cut
// into microbatches, and computed again in the gradient instead of kept.

import type { OpInputs } from '../../gpu/op.ts';
import { groupsFor } from '../../gpu/op.ts';
import type { KernelContext, KernelPlan, Phase } from '../kernelCall.ts';
import { dropoutKernel } from '../jobs/tableJobs.ts';
import { batchUniform, examplesOf, floatsOf } from '../kernelCall.ts';
import type { NeuralOp } from '../neuralOp.ts';
import { changeFloats, float, readFloats } from './vectors.ts';

export interface DropoutShape {
  /** Elements of an example. */
  readonly length: number;
  readonly rate: number;
  /** Tells the dropout layers of a net apart. */
  readonly salt: number;
}

/** MurmurHash3's finalizer (Appleby, public domain): every bit of the input moves every bit of the output. */
const mixWgsl = `
fn mix_(value: u32) -> u32 {
  var h = value;
  h = (h ^ (h >> 16u)) * 0x85ebca6bu;
  h = (h ^ (h >> 13u)) * 0xc2b2ae35u;
  return h ^ (h >> 16u);
}`;

function mix(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** Hashes below this are dropped. A rate of 1 is not a layer. */
const thresholdOf = (rate: number): number => Math.min(2 ** 32 - 1, Math.round(rate * 2 ** 32));

function keepScale(inputs: OpInputs, shape: DropoutShape): (example: number, element: number) => number {
  const ids = inputs.storage['exampleIds'] as Uint32Array;
  const { step = 0, seed = 0, training = 0 } = inputs.uniforms['batch'] ?? {};
  const threshold = thresholdOf(shape.rate);
  const scale = Math.fround(1 / (1 - shape.rate));
  return (example, element) => {
    if (training === 0) return 1;
    const hash = mix(mix(mix(mix(seed ^ shape.salt) ^ step) ^ ids[example]!) ^ element);
    return hash < threshold ? 0 : scale;
  };
}

function dropoutOp(shape: DropoutShape, inPlace: boolean): NeuralOp {
  const { length, rate, salt } = shape;
  const source = inPlace ? 'output' : 'input';
  return {
    name: `dropout${inPlace ? 'Gradient' : ''}[${length}; ${rate} ${salt}]`,
    storage: [
      ...(inPlace ? [] : [readFloats('input')]),
      { name: 'exampleIds', type: 'array<u32>', access: 'read' },
      changeFloats('output'),
    ],
    uniforms: [batchUniform],
    workgroupSize: 256,
    declarations: mixWgsl,
    body: `
  if (flat >= batch.examples * ${length}u) { return; }
  var scale = 1.0f;
  if (batch.training != 0u) {
    let ofStep = mix_(mix_(batch.seed ^ ${salt}u) ^ batch.step);
    let hash = mix_(mix_(ofStep ^ exampleIds[flat / ${length}u]) ^ (flat % ${length}u));
    scale = select(${float(1 / (1 - rate))}, 0.0f, hash < ${thresholdOf(rate)}u);
  }
  // What is dropped is 0 even where the value is not finite.
  output[flat] = select(${source}[flat] * scale, 0.0f, scale == 0.0f);`,
    reference: (inputs) => {
      const output = floatsOf(inputs, 'output');
      const values = inPlace ? output : floatsOf(inputs, 'input');
      const scaleOf = keepScale(inputs, shape);
      for (let example = 0, i = 0; example < examplesOf(inputs); example += 1) {
        for (let element = 0; element < length; element += 1, i += 1) {
          const scale = scaleOf(example, element);
          output[i] = scale === 0 ? 0 : values[i]! * scale;
        }
      }
    },
    wasm: dropoutKernel(length, salt, thresholdOf(rate), 1 / (1 - rate), inPlace),
  };
}

/** Without `input`: the gradient, in place. */
export function dropout(
  context: KernelContext,
  phase: Phase,
  shape: DropoutShape,
  buffers: { readonly input?: string; readonly exampleIds: string; readonly output: string },
): KernelPlan {
  const op = dropoutOp(shape, buffers.input === undefined);
  const call = {
    op,
    buffers: { ...buffers },
    groups: (examples: number) => groupsFor(op, examples * shape.length),
    cost: (examples: number) => ({ flop: 2 * examples * shape.length, bytes: 8 * examples * shape.length }),
    layer: context.layer,
    phase,
  };
  return { calls: [call], workspaceBytes: 0 };
}
