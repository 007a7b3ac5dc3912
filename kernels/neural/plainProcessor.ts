// Each op by its reference: for engines without WebAssembly's SIMD, and what all other devices are compared with.

import type { WordArray } from '../gpu/op.ts';
import { allocatedBytes, arrayTypes, bufferView, performReference, type Processor } from './processor.ts';
import type { KernelProgram } from './program.ts';

/** Of JavaScript in f32. */
const FLOP_PER_SLICE = 30e6;

export function plainProcessor(program: KernelProgram): Processor {
  const { memory } = program;
  const buffers = new Map(memory.allocations.map(({ name, bytes }) => [name, new ArrayBuffer(bytes)]));
  const views = new Map<string, WordArray>();
  for (const name of Object.keys(memory.views)) {
    const { allocation, offsetBytes, bytes, type } = bufferView(program, name);
    const buffer = buffers.get(allocation);
    if (buffer === undefined) throw new RangeError(`The program has no memory "${allocation}".`);
    views.set(name, new arrayTypes[type](buffer, offsetBytes, bytes / 4));
  }
  const view = (name: string): WordArray => {
    const array = views.get(name);
    if (array === undefined) throw new RangeError(`The program has no buffer "${name}".`);
    return array;
  };
  for (const [name, values] of Object.entries(memory.contents)) view(name).set(values);
  return {
    lost: new Promise(() => {}),
    bytes: allocatedBytes(program),
    flopPerSlice: FLOP_PER_SLICE,
    view,
    perform: (op, bufferOf, uniforms) => performReference(op, (binding) => view(bufferOf(binding)), uniforms),
    close: () => views.clear(),
  };
}
