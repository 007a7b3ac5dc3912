// What an owner is told when a model goes to tfjs in place of the compiled engine.

import type { TfjsRuntime } from './loadTfjs.ts';

/** @param layers those that the compiled engine does not know, with what is not known about each. */
export function fallbackNotice(
  layers: readonly { readonly name: string; readonly reason: string }[],
  backend: TfjsRuntime['backend'],
): string {
  const named = layers.map(({ name, reason }) => `${name} (${reason})`).join(', ');
  const where = backend === 'webgpu' ? 'tfjs on WebGPU' : 'tfjs in plain JavaScript';
  return (
    `The compiled engine does not know ${layers.length === 1 ? 'layer' : 'layers'} ${named}, so the whole model runs by ` +
    `${where}. Steps take several times longer, gradients are read back and weights written anew at each, and there ` +
    `is no syncBatchNorm and no profile. docs/neural.md lists the layers that are compiled.`
  );
}
