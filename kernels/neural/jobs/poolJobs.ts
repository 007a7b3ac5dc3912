// Pools, their gradients and moved images as jobs of WebAssembly: a task is a row of the image that is written.

import {
  AVERAGE_POOL,
  MAX_POOL,
  POOL_GRADIENT,
  SHIFT_IMAGE,
} from '../../wasm/assembly/neural/kernelNumbers.ts';
import { batchExamples } from '../kernelCall.ts';
import type { WasmKernel, WasmRun } from '../neuralOp.ts';
import type { PoolShape, ShiftShape } from '../imageShapes.ts';

function poolParameters(
  p: PoolShape,
  at: WasmRun['at'],
  source: string,
  hasWinners: boolean,
  adds: boolean,
): number[] {
  return [
    at(source),
    at('output'),
    hasWinners ? at('winners') : 0,
    p.input.height,
    p.input.width,
    p.output.height,
    p.output.width,
    p.channels,
    p.window.height,
    p.window.width,
    p.strides.height,
    p.strides.width,
    p.padTop,
    p.padLeft,
    Number(adds),
  ];
}

export function poolKernel(kind: 'average' | 'max', p: PoolShape, hasWinners: boolean): WasmKernel {
  return {
    jobs: ({ at, uniforms }) => [
      {
        kernel: kind === 'max' ? MAX_POOL : AVERAGE_POOL,
        parameters: poolParameters(p, at, 'input', hasWinners, false),
        tasks: batchExamples(uniforms) * p.output.height,
      },
    ],
  };
}

export function poolGradientKernel(kind: 'average' | 'max', p: PoolShape, adds: boolean): WasmKernel {
  return {
    jobs: ({ at, uniforms }) => [
      {
        kernel: POOL_GRADIENT,
        parameters: poolParameters(p, at, 'gradient', kind === 'max', adds),
        tasks: batchExamples(uniforms) * p.input.height,
      },
    ],
  };
}

export function shiftKernel({ input, output, channels, down, right }: ShiftShape, adds: boolean): WasmKernel {
  return {
    jobs: ({ at, uniforms }) => [
      {
        kernel: SHIFT_IMAGE,
        parameters: [
          at('input'),
          at('output'),
          input.height,
          input.width,
          output.height,
          output.width,
          channels,
          down,
          right,
          Number(adds),
        ],
        tasks: batchExamples(uniforms) * output.height,
      },
    ],
  };
}
