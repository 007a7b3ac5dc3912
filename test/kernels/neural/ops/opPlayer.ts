// Plays cases of ops, and steps of small nets, on the WebGPU of whatever runtime this is.

import { PipelineCache } from '../../../../kernels/gpu/pipelineCache.ts';
import { netCases } from '../../../shared/neural/nets.ts';
import { playNet } from '../../../shared/neural/playNet.ts';
import { opCases } from './opCases.ts';
import { playOp } from './playOp.ts';

export interface Asked {
  readonly kind: 'net' | 'op';
  readonly title: string;
}

/** @returns what is wrong. */
export type OpPlayer = (asked: Asked) => Promise<string[]>;

export async function opPlayer(gpu: GPU): Promise<OpPlayer> {
  const adapter = await gpu.requestAdapter();
  if (!adapter) throw new Error('This runtime has no WebGPU adapter.');
  const play = playerOn(await adapter.requestDevice());
  // Deno panics where a device outlives its adapter and is asked about itself.
  return (asked) => play(asked).finally(() => void adapter.info);
}

export function playerOn(device: GPUDevice): OpPlayer {
  const pipelines = new PipelineCache(device);
  return async ({ kind, title }) => {
    if (kind === 'net')
      return playNet(device, pipelines, netCases.find((each) => each.title === title)!.spec);
    const each = opCases.find((one) => one.title === title)!;
    const complaints = await playOp(device, pipelines, each, false);
    if (each.poisoned === undefined) return complaints;
    const poisoned = await playOp(device, pipelines, each, true);
    return [...complaints, ...poisoned.map((text) => `with NaN: ${text}`)];
  };
}
