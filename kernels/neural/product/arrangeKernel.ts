// Turns a convolution's kernel [tap][channel in][filter] into what the input gradient multiplies by: [tap][filter][channel
// in], taps in the order of the phases. Kernels are small beside images, so this costs little, and the product
// then reads both of its matrices along rows.

import type { Op } from '../../gpu/op.ts';
import type { ConvolutionShape } from '../convolution.ts';
import { floatsOf } from '../kernelCall.ts';
import type { Gather } from './convolutionGeometry.ts';
import { isQuads, times } from './wgslText.ts';

const WORKGROUP_SIZE = 64;
/** For taps that reach no position: strides larger than the image. */
const UNUSED = 0xffffffff;

/** Place of each of the kernel's taps in the arranged order. */
function arrangedTaps(shape: ConvolutionShape, gathers: readonly Gather[]): number[] {
  const { kernelHeight, kernelWidth } = shape;
  const places = Array.from({ length: kernelHeight * kernelWidth }, () => UNUSED);
  let next = 0;
  for (const { vertical, horizontal } of gathers) {
    for (let a = 0; a < vertical.taps; a += 1) {
      for (let b = 0; b < horizontal.taps; b += 1) {
        const row = vertical.firstTap + a * vertical.tapStride;
        places[row * kernelWidth + horizontal.firstTap + b * horizontal.tapStride] = next;
        next += 1;
      }
    }
  }
  return places;
}

/** Threads: one a block of 4 × 4 (or one element, where channels or filters are no multiple of 4). */
export function arrangeThreads(shape: ConvolutionShape): number {
  const elements = shape.kernelHeight * shape.kernelWidth * shape.inputChannels * shape.filters;
  return elements / (inBlocks(shape) ? 16 : 1);
}

function inBlocks({ inputChannels, filters }: ConvolutionShape): boolean {
  return isQuads(inputChannels) && isQuads(filters);
}

export function arrangeKernelOp(shape: ConvolutionShape, gathers: readonly Gather[]): Op {
  const { inputChannels: channels, filters } = shape;
  const places = arrangedTaps(shape, gathers);
  const isSame = places.every((place, tap) => place === tap);
  const declarations = isSame
    ? ''
    : `
fn arrangedTap(tap: u32) -> u32 {
  switch tap {
${places.map((place, tap) => `    case ${tap}u: { return ${place}u; }`).join('\n')}
    default: { return ${UNUSED}u; }
  }
}`;
  const unit = inBlocks(shape) ? 4 : 1;
  const [channelUnits, filterUnits] = [channels / unit, filters / unit];
  const move = inBlocks(shape)
    ? `
  ${times(4, (i) => `let row${i} = kernel[(tap * ${channels}u + 4u * channel + ${i}u) * ${filterUnits}u + filterAt];`)}
  ${times(4, (i) => `arranged[(place * ${filters}u + 4u * filterAt + ${i}u) * ${channelUnits}u + channel] = vec4<f32>(row0[${i}], row1[${i}], row2[${i}], row3[${i}]);`)}`
    : `
  arranged[(place * ${filters}u + filterAt) * ${channels}u + channel] = kernel[(tap * ${channels}u + channel) * ${filters}u + filterAt];`;
  return {
    name: `arrange kernel ${places.length}x${channels}x${filters}`,
    storage: [
      { name: 'kernel', type: inBlocks(shape) ? 'array<vec4<f32>>' : 'array<f32>', access: 'read' },
      { name: 'arranged', type: inBlocks(shape) ? 'array<vec4<f32>>' : 'array<f32>', access: 'read_write' },
    ],
    uniforms: [],
    workgroupSize: WORKGROUP_SIZE,
    declarations,
    body: `
  if (flat >= ${arrangeThreads(shape)}u) { return; }
  let filterAt = flat % ${filterUnits}u;
  let channel = (flat / ${filterUnits}u) % ${channelUnits}u;
  let tap = flat / ${filterUnits * channelUnits}u;
  let place = ${isSame ? 'tap' : 'arrangedTap(tap)'};
  ${isSame ? '' : `if (place == ${UNUSED}u) { return; }`}${move}`,
    reference: (inputs) => {
      const [kernel, arranged] = [floatsOf(inputs, 'kernel'), floatsOf(inputs, 'arranged')];
      places.forEach((place, tap) => {
        if (place === UNUSED) return;
        for (let c = 0; c < channels; c += 1) {
          for (let n = 0; n < filters; n += 1) {
            arranged[(place * filters + n) * channels + c] = kernel[(tap * channels + c) * filters + n] ?? 0;
          }
        }
      });
    },
  };
}
